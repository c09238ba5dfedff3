import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { restrictedContainer, restrictedPod } from "../../components/pod/security.ts";
import { places } from "../../local/places.ts";
import { type Outcome, outcomeOf } from "../../local/run.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import type { TestDatabase, TestServer } from "./postgres.ts";
import { until } from "./until.ts";

/**
 * The database programs where they run: in a pod of the cluster, shaped as the stack's are. With GOLIVE_POSTGRES, on this
 * machine as user postgres instead, for work on them without the cluster.
 */
export interface DatabasePod {
  /** What the programs are told about a database: its server as the pod sees it, and a place of its own for backups and work. */
  settings(database: TestDatabase): Promise<ProgramSettings>;
  /** Runs `database.mjs …` to its end. */
  run(settings: ProgramSettings, ...args: readonly string[]): Promise<Outcome>;
  /** Runs a bash script there, which may call `$program …` and `$node …`. */
  shell(settings: ProgramSettings, script: string, input?: string): Promise<Outcome>;
  /** Settings with a bash script in the place of one of PostgreSQL's programs; the real one is `$real`. */
  withTool(settings: ProgramSettings, tool: string, script: string): Promise<ProgramSettings>;
  /** A directory with room for this many MiB. */
  readonly small: { readonly path: string; readonly mebibytes: number };
  stop(): Promise<void>;
}

const smallMebibytes = 2;
const uid = 999;

/** Starts it beside a test server; a pod goes with the server's namespace. */
export async function startDatabasePod(server: TestServer): Promise<DatabasePod> {
  return server.namespace === undefined ? onThisMachine() : await inCluster(server.namespace);
}

/** How a script reaches the place where the programs are, and what is where. */
interface Place {
  readonly base: string;
  readonly small: string;
  readonly node: string;
  /** Of the server; undefined: as the test sees it. */
  readonly host: string | undefined;
  bash(script: string, input?: string): Promise<Outcome>;
  stop(): Promise<void>;
}

async function inCluster(namespace: string): Promise<DatabasePod> {
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace, body: pod() });
  await until("the pod of the database programs", async () => {
    const { status } = await core.readNamespacedPod({ namespace, name: "programs" });
    return status?.phase === "Running";
  });
  const { status } = await core.readNamespacedPod({ namespace, name: "postgres-0" });
  const kubectl = ["--kubeconfig", places.kubeconfig, "--context", "golive-local", "--namespace", namespace];
  const exec = [...kubectl, "exec", "--stdin", "programs", "--container", "programs", "--", "bash", "-c"];
  return await prepared({
    base: "/work",
    small: "/small",
    node: "/runtime/node",
    host: status?.podIP,
    bash: (script, input = "") => outcomeOf(join(places.bin, "kubectl"), [...exec, script], { input }),
    stop: async () => {
      await core.deleteNamespacedPod({ namespace, name: "programs", gracePeriodSeconds: 0 });
    },
  });
}

/** As components/database/program-pod.ts makes it, but that it waits for commands. */
function pod(): V1Pod {
  const volumes = ["runtime", "work", "tmp"];
  return {
    metadata: { name: "programs" },
    spec: {
      ...restrictedPod(uid),
      terminationGracePeriodSeconds: 0,
      initContainers: [
        {
          name: "runtime",
          image: "golive.local/node:24",
          ...restrictedContainer(),
          command: ["cp", "/usr/local/bin/node", "/runtime/node"],
          volumeMounts: [{ name: "runtime", mountPath: "/runtime" }],
        },
      ],
      containers: [
        {
          name: "programs",
          image: "golive.local/postgres:15",
          ...restrictedContainer(),
          command: ["/runtime/node", "-e", "setInterval(() => {}, 3_600_000)"],
          volumeMounts: [
            { name: "runtime", mountPath: "/runtime", readOnly: true },
            { name: "work", mountPath: "/work" },
            { name: "small", mountPath: "/small" },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        ...volumes.map((name) => ({ name, emptyDir: {} })),
        { name: "small", emptyDir: { medium: "Memory", sizeLimit: `${smallMebibytes}Mi` } },
      ],
    },
  } as V1Pod;
}

async function onThisMachine(): Promise<DatabasePod> {
  const base = await mkdtemp(join(tmpdir(), "golive-programs-"));
  const small = join(base, "small");
  const become = ["-u", "postgres", "--", "env", `PATH=/usr/lib/postgresql/15/bin:${process.env.PATH}`, "bash", "-c"];
  const root = (script: string) => outcomeOf("bash", ["-c", script]);
  await root(`mkdir ${small} && mount -t tmpfs -o size=${smallMebibytes}m none ${small}`);
  await root(`chown postgres ${base} ${small}`);
  return await prepared({
    base,
    small,
    node: process.execPath,
    host: undefined,
    bash: (script, input = "") => outcomeOf("runuser", [...become, script], { input }),
    stop: async () => {
      await root(`umount ${small}`);
      await rm(base, { recursive: true, force: true });
    },
  });
}

async function prepared(place: Place): Promise<DatabasePod> {
  const { base, node } = place;
  const program = `${base}/database.mjs`;
  required(await place.bash(`cat > ${program}`, (await bundlePrograms()).database));
  const shell = async (settings: ProgramSettings, script: string, input?: string) => {
    const file = `${settings.work}/settings.json`;
    const lines = [
      `cat > ${file} <<'END'\n${JSON.stringify(settings)}\nEND`,
      // No function: in the background, its $! is the program itself.
      `program="env GOLIVE_DATABASE_SETTINGS=${file} ${node} ${program}"; node=${node}`,
      script,
    ];
    return await place.bash(lines.join("\n"), input);
  };
  return {
    small: { path: place.small, mebibytes: smallMebibytes },
    async settings({ name, settings }) {
      const own = `${base}/${name}`;
      const files: Record<string, string> = { key: await readFile(settings.backup.key, "utf8") };
      for (const login of await readdir(settings.passwords)) {
        files[`passwords/${login}`] = await readFile(join(settings.passwords, login), "utf8");
      }
      for (const file of await readdir(settings.migrations)) {
        files[`migrations/${file}`] = await readFile(join(settings.migrations, file), "utf8");
      }
      const write = `
        import { writeFileSync } from "node:fs";
        import { text } from "node:stream/consumers";
        for (const [path, content] of Object.entries(JSON.parse(await text(process.stdin)))) writeFileSync(path, content);`;
      const directories = ["passwords", "backups", "migrations"].map((each) => `${own}/${each}`).join(" ");
      const script = `mkdir -p ${directories} && cd ${own} && ${node} --input-type=module -e '${write}'`;
      required(await place.bash(script, JSON.stringify(files)));
      return {
        ...settings,
        server: place.host === undefined ? settings.server : { ...settings.server, host: place.host, port: 5432 },
        passwords: `${own}/passwords`,
        migrations: `${own}/migrations`,
        backup: { ...settings.backup, directory: `${own}/backups`, key: `${own}/key` },
        work: own,
        report: `${own}/report`,
      };
    },
    run: (settings, ...args) => shell(settings, `$program ${args.map((arg) => `'${arg}'`).join(" ")}`),
    shell,
    async withTool(settings, tool, script) {
      const binaries = `${settings.work}/bin`;
      const tools = 'tools=$(dirname "$(readlink -f "$(command -v pg_dump)")")';
      const link = `${tools} && mkdir -p ${binaries} && ln -sf $tools/* ${binaries}/ && rm ${binaries}/${tool}`;
      const write = `{ printf '#!/bin/bash\nreal=%s\n' "$tools/${tool}"; cat; } > ${binaries}/${tool} && chmod +x ${binaries}/${tool}`;
      required(await place.bash(`${link} && ${write}`, `${script}\n`));
      return { ...settings, binaries };
    },
    stop: place.stop,
  };
}

function required(outcome: Outcome): void {
  if (outcome.code !== 0) throw new Error(`exit code ${outcome.code}: ${outcome.stderr}`);
}
