import { basename, join } from "node:path";
import { build } from "esbuild";

// `pg` is CommonJS and asks for Node's own modules by require, which an ES module does not have.
const banner = `import { createRequire as golive_createRequire } from "node:module";
const require = golive_createRequire(import.meta.url);`;

const entries = {
  /** What runs beside the database. */
  database: "programs/database/main.ts",
  /** What tells Prometheus how far a rollout is. */
  rollout: "programs/rollout/main.ts",
  /** What takes a bad candidate off the traffic by itself. */
  guard: "programs/guard/main.ts",
  /** What tells Elasticsearch how long to keep the logs. */
  logging: "programs/logging/main.ts",
} as const;

export type ProgramName = keyof typeof entries;

/** What runs inside the cluster, each program as one ES module without dependencies. */
export type Bundles = Readonly<Record<ProgramName, string>>;

/**
 * Bundles all programs, each for a ConfigMap (at most 1 MiB). The same sources give the same text on every machine: a Job's
 * name is made from it, and a preview must not see a change where there is none.
 */
export async function bundlePrograms(): Promise<Bundles> {
  // Names of files stand in what esbuild writes: relative to the repository they are the same everywhere.
  const root = join(import.meta.dirname, "..");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: "programs",
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    target: "node24",
    format: "esm",
    charset: "utf8",
    banner: { js: banner },
    legalComments: "none",
    logLevel: "silent",
    // A developer's own tsconfig or environment changes nothing.
    tsconfigRaw: "{}",
    // Optional parts of `pg`: the native binding, and a socket for another platform.
    external: ["pg-native", "cloudflare:sockets"],
  });
  const textOf = (name: ProgramName) => {
    const file = outputFiles.find(({ path }) => basename(path) === `${name}.js`);
    if (!file) throw new Error(`esbuild made nothing of ${entries[name]}`);
    return file.text;
  };
  return {
    database: textOf("database"),
    rollout: textOf("rollout"),
    guard: textOf("guard"),
    logging: textOf("logging"),
  };
}
