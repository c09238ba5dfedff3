import { join } from "node:path";
import { build } from "esbuild";

// `pg` is CommonJS and asks for Node's own modules by require, which an ES module does not have.
const banner = `import { createRequire as golive_createRequire } from "node:module";
const require = golive_createRequire(import.meta.url);`;

/**
 * The database programs as one ES module without dependencies, for a ConfigMap (at most 1 MiB). The same sources give the
 * same text on every machine: a Job's name is made from it, and a preview must not see a change where there is none.
 */
export async function bundleDatabasePrograms(): Promise<string> {
  // Names of files stand in what esbuild writes: relative to the repository they are the same everywhere.
  const root = join(import.meta.dirname, "..");
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["programs/database/main.ts"],
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
  const [file] = result.outputFiles;
  if (!file) throw new Error("esbuild made nothing of programs/database/main.ts");
  return file.text;
}
