import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { imageTree } from "../debian/packages.ts";
import { places } from "../places.ts";
import { executable, parentsOf, text } from "./layer.ts";
import { type Entry, entriesOf } from "./tar.ts";

const tree = join(places.debian, imageTree.name);

export function debianInputs(): Promise<string> {
  return readFile(`${tree}.stamp`, "utf8");
}

const shared = ["doc", "man", "info", "locale", "lintian", "bash-completion", "gcc", "perl5", "postgresql-common"];

/** What nobody reads in a container, and what is written below because no maintainer script made it. */
const leftOut = new RegExp(
  // Its compiler without LLVM would fail every expensive query; without the compiler PostgreSQL does not ask for it.
  `^(usr/lib/postgresql/15/lib/(llvmjit|bitcode)[^/]*|usr/share/(${shared.join("|")})|var/(cache|run|lock)|run|tmp|etc/(passwd|group|nsswitch\\.conf))(/|$)`,
);

/** PostgreSQL, Redis, a shell and what they need; users as in the official images. */
export async function* debianEntries(): AsyncGenerator<Entry> {
  yield* entriesOf(tree, (path) => leftOut.test(path));
  const people = [
    { name: "root", id: 0, home: "/root", shell: "/bin/bash" },
    { name: "postgres", id: 999, home: "/var/lib/postgresql", shell: "/bin/bash" },
    { name: "node", id: 1000, home: "/home/node", shell: "/bin/bash" },
    { name: "nobody", id: 65534, home: "/nonexistent", shell: "/usr/sbin/nologin" },
  ];
  yield* names(people);
  yield { kind: "directory", path: "run", mode: 0o755 };
  yield { kind: "link", path: "var/run", target: "/run" };
  yield { kind: "directory", path: "tmp", mode: 0o1777 };
  for (const path of ["run/postgresql", "var/lib/postgresql", "data"]) {
    yield { kind: "directory", path, mode: 0o755, owner: 999 };
  }
  yield { kind: "directory", path: "home/node", mode: 0o755, owner: 1000 };
}

interface Person {
  readonly name: string;
  readonly id: number;
  readonly home: string;
  readonly shell: string;
}

/** Who there is, and where hosts are looked up. */
function names(people: readonly Person[]): Entry[] {
  const passwd = people.map(({ name, id, home, shell }) => `${name}:x:${id}:${id}:${name}:${home}:${shell}\n`);
  return [
    text("etc/passwd", passwd.join("")),
    text("etc/group", people.map(({ name, id }) => `${name}:x:${id}:\n`).join("")),
    text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
  ];
}

/** The C library alone, for a program that needs nothing else: four megabytes, not two hundred. */
export function libraryEntries(): Entry[] {
  const library = "lib/x86_64-linux-gnu/libc.so.6";
  const loader = "lib64/ld-linux-x86-64.so.2";
  const from = join(tree, "usr", "lib", "x86_64-linux-gnu");
  return [
    ...parentsOf(library),
    executable(library, join(from, "libc.so.6")),
    ...parentsOf(loader),
    executable(loader, join(from, "ld-linux-x86-64.so.2")),
    ...parentsOf("etc/passwd"),
    ...names([{ name: "nobody", id: 65534, home: "/", shell: "/bin/false" }]),
    { kind: "directory", path: "tmp", mode: 0o1777 },
  ];
}

/** Time zones by their names, for programs that bring none. */
export function timeZoneEntries(): AsyncGenerator<Entry> {
  return only(tree, ["usr/share/zoneinfo"]);
}

/** Of a tree only these paths, what is below them, and the directories above them. */
export function only(root: string, wanted: readonly string[]): AsyncGenerator<Entry> {
  const isWithin = (path: string, directory: string) => path === directory || path.startsWith(`${directory}/`);
  return entriesOf(root, (path) => !wanted.some((one) => isWithin(path, one) || isWithin(one, path)));
}

export async function postgresEntries(): Promise<Entry[]> {
  const settings = "usr/share/postgresql/15/postgresql.conf.sample";
  const original = await readFile(join(tree, settings), "utf8");
  return [
    // A server in a container is useless on loopback alone; the official image does the same.
    text(settings, original.replace(/^#listen_addresses = .*$/m, "listen_addresses = '*'")),
    { kind: "directory", path: "docker-entrypoint-initdb.d", mode: 0o755 },
  ];
}
