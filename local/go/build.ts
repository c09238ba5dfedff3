import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { readIfThere, writeWhole } from "../files.ts";
import { places } from "../places.ts";
import { outcomeOf, run } from "../run.ts";

interface GoModule {
  readonly title: string;
  /** Packages to build; each gives the binary that its last path element (or `binary`) names. */
  readonly packages: readonly string[];
  /** The name of the first package's binary when it is not the package's. */
  readonly binary?: string;
  /** Linker settings, mostly the version that the program reports. Default: none. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What its packages import of it that is not wanted whole. Default: nothing. */
  readonly narrowed?: Narrowed;
}

/**
 * An import that a module's packages have for its effects, and what they import in its place. Go replaces modules, never
 * one package of them: their own source is compiled as if it stood in our module, with other imports.
 */
interface Narrowed {
  readonly module: string;
  readonly from: string;
  readonly to: readonly string[];
}

const kubernetesVersion = "v1.36.3";
const componentVersion = "k8s.io/component-base/version";

const modules = {
  etcd: { title: "etcd", packages: ["go.etcd.io/etcd/server/v3"], binary: "etcd" },
  kubernetes: {
    title: `Kubernetes ${kubernetesVersion}`,
    packages: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"].map(
      (name) => `k8s.io/kubernetes/cmd/${name}`,
    ),
    variables: {
      [`${componentVersion}.gitVersion`]: kubernetesVersion,
      [`${componentVersion}.gitMajor`]: "1",
      [`${componentVersion}.gitMinor`]: "36",
      [`${componentVersion}.gitCommit`]: "unknown",
      [`${componentVersion}.gitTreeState`]: "clean",
    },
  },
  coredns: { title: "CoreDNS", packages: ["github.com/coredns/coredns"] },
  traefik: { title: "Traefik", packages: ["github.com/traefik/traefik/v3/cmd/traefik"] },
  "cloudnative-pg": {
    title: "CloudNativePG",
    packages: ["github.com/cloudnative-pg/cloudnative-pg/cmd/manager"],
    binary: "cloudnative-pg",
  },
  "barman-cloud": { title: "the Barman Cloud plugin", packages: [] },
  "prometheus-operator": {
    title: "the Prometheus operator",
    packages: ["operator", "prometheus-config-reloader"].map(
      (name) => `github.com/prometheus-operator/prometheus-operator/cmd/${name}`,
    ),
    binary: "prometheus-operator",
    // It is what the operator reports itself to be, and which reloader it takes unless it is told another.
    variables: { "github.com/prometheus/common/version.Version": "0.85.0" },
  },
  // Only the CRDs in it are read, for an API server to take what staging and production declare.
  elastic: { title: "the Elastic Stack's operator", packages: [] },
  actionlint: { title: "actionlint", packages: ["github.com/rhysd/actionlint/cmd/actionlint"] },
  "osv-scanner": { title: "OSV-Scanner", packages: ["github.com/google/osv-scanner/v2/cmd/osv-scanner"] },
  "elastic-grok": { title: "grok", packages: ["."], binary: "elastic-grok" },
  "pod-security": { title: "Kubernetes' Pod Security", packages: ["."], binary: "pod-security" },
  "kube-score": { title: "kube-score", packages: ["github.com/zegl/kube-score/cmd/kube-score"] },
  prometheus: {
    title: "Prometheus",
    packages: ["prometheus", "promtool"].map((name) => `github.com/prometheus/prometheus/cmd/${name}`),
    variables: { "github.com/prometheus/common/version.Version": "3.5.0" },
    // All that the operator writes. The rest finds targets in twenty clouds: half of the build, and of the binary.
    narrowed: {
      module: "github.com/prometheus/prometheus",
      from: "github.com/prometheus/prometheus/plugins",
      to: ["kubernetes", "file", "http"].map((name) => `github.com/prometheus/prometheus/discovery/${name}`),
    },
  },
  pulumi: {
    title: "Pulumi",
    packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0" },
  },
} as const satisfies Record<string, GoModule>;

export type GoModuleName = keyof typeof modules;

const directoryOf = (name: GoModuleName) => join(import.meta.dirname, name);
const stampOf = (name: GoModuleName) => join(places.bin, `${name}.stamp`);
const nameOf = ({ packages, binary }: GoModule, path: string) =>
  (path === packages[0] ? binary : undefined) ?? path.slice(path.lastIndexOf("/") + 1);

/** The files that a module's build gives, below `.golive/bin`. */
export function binariesOf(name: GoModuleName): string[] {
  const module: GoModule = modules[name];
  return module.packages.map((path) => join(places.bin, nameOf(module, path)));
}

/** Whether `goBuild` has nothing to do. */
export async function isBuilt(name: GoModuleName): Promise<boolean> {
  return (
    (await readIfThere(stampOf(name))) === (await fingerprint(name)) &&
    binariesOf(name).every((path) => existsSync(path))
  );
}

/** Builds what a module names into `.golive/bin`, unless it was built from the same inputs already. */
export async function goBuild(name: GoModuleName, progress: Progress): Promise<void> {
  if (await isBuilt(name)) return;
  const module: GoModule = modules[name];
  await requireGo();
  await mkdir(places.bin, { recursive: true });
  await progress.stage(`build ${module.title} (once; minutes on a cold Go cache)`, async (stage) => {
    await rm(stampOf(name), { force: true });
    for (const path of module.packages) await build(name, path, stage);
    await writeFile(stampOf(name), await fingerprint(name));
  });
}

async function build(name: GoModuleName, path: string, progress: Progress): Promise<void> {
  const module: GoModule = modules[name];
  const target = join(places.bin, nameOf(module, path));
  await removeHalfBuilt(target);
  // Two runs may build at once: each has its own half-built file, and both give the same binary.
  const building = `${target}.new.${process.pid}`;
  const linker = ["-s", "-w", ...Object.entries(module.variables ?? {}).map(([key, value]) => `-X ${key}=${value}`)];
  let compiled = 0;
  let told = performance.now();
  const source = module.narrowed === undefined ? [path] : await narrowed(name, path, module.narrowed);
  await run("go", ["build", "-v", "-trimpath", "-ldflags", linker.join(" "), "-o", building, ...source], {
    cwd: directoryOf(name),
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" },
    onLine: (line) => {
      if (!line.startsWith("go: ")) compiled += 1;
      if (performance.now() - told < 10_000) return;
      told = performance.now();
      progress.note(`${nameOf(module, path)}: ${compiled} packages compiled, now ${line}`);
    },
  });
  // A binary that runs cannot be written to, but a new one can take its name.
  await rename(building, target);
}

/** What `go build` is told so that it compiles a package with other imports, from below `.golive/`. */
async function narrowed(name: GoModuleName, path: string, { module, from, to }: Narrowed): Promise<string[]> {
  const original = join(await moduleDirectory(name, module), path.slice(module.length + 1));
  const directory = join(places.golive, "go", name, basename(path));
  await mkdir(directory, { recursive: true });
  const overlay: Record<string, string> = {};
  let isImported = false;
  for (const file of await readdir(original)) {
    if (!file.endsWith(".go") || file.endsWith("_test.go")) continue;
    const text = await readFile(join(original, file), "utf8");
    await writeWhole(join(directory, file), withOtherImports(text, from, to));
    overlay[join(directoryOf(name), basename(path), file)] = join(directory, file);
    isImported ||= text.includes(blank(from));
  }
  if (!isImported) throw new Error(`${path} does not import ${from}: it would be built whole`);
  const told = join(directory, "overlay.json");
  await writeWhole(told, JSON.stringify({ Replace: overlay }));
  // It would pass for a state of our repository.
  return ["-buildvcs=false", "-overlay", told, `./${basename(path)}`];
}

/** Go source with other imports in the place of one that it has for its effects. */
export function withOtherImports(source: string, from: string, to: readonly string[]): string {
  return source.replaceAll(blank(from), to.map(blank).join("\n\t"));
}

const blank = (path: string) => `_ "${path}"`;

/** Removes what builds that were killed left beside a binary. */
async function removeHalfBuilt(target: string): Promise<void> {
  const prefix = `${basename(target)}.new.`;
  for (const name of await readdir(dirname(target))) {
    const isDead = name.startsWith(prefix) && !existsSync(join("/proc", name.slice(prefix.length)));
    if (isDead) await rm(join(dirname(target), name), { force: true });
  }
}

async function fingerprint(name: GoModuleName): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(modules[name]));
  for (const file of (await readdir(directoryOf(name))).toSorted())
    hash.update(await readFile(join(directoryOf(name), file)));
  return hash.digest("hex");
}

/** The directory of one module that a go.mod of ours names, downloaded and checked against go.sum when it is not there. */
export async function moduleDirectory(name: GoModuleName, path: string): Promise<string> {
  await requireGo();
  const text = await run("go", ["mod", "download", "-json", path], { cwd: directoryOf(name), env: { GOWORK: "off" } });
  const { Dir } = JSON.parse(text) as { Dir?: string };
  if (Dir === undefined) throw new Failure(`go mod download ${path} gave no directory:\n${text}`);
  return Dir;
}

const oldestGo = { major: 1, minor: 26 };

export async function requireGo(): Promise<void> {
  const outcome = await outcomeOf("go", ["env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } });
  const found = outcome.stdout.trim();
  if (outcome.code === 0 && newEnough(found)) return;
  throw new Failure(
    `Go ${oldestGo.major}.${oldestGo.minor} or newer is needed; this machine has ${found || "none that works"}. Install it (its bin directory on PATH) and start again.`,
    2,
  );
}

/** Whether `go env GOVERSION` (such as "go1.26.3") names a version that can build what we need. */
export function newEnough(version: string): boolean {
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  const got = { major: Number(major), minor: Number(minor) };
  return got.major > oldestGo.major || (got.major === oldestGo.major && got.minor >= oldestGo.minor);
}
