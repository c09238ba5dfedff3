import { join } from "node:path";
import { build } from "esbuild";

// Some packages are CommonJS and ask for Node's own modules by require, which an ES module does not have.
const banner = `import { createRequire as golive_createRequire } from "node:module";
const require = golive_createRequire(import.meta.url);`;

/**
 * Both services, each as one ES module without dependencies. The same sources give the same bytes, so that an image
 * made of them keeps its digest.
 */
export async function bundleSample(): Promise<{ backend: Uint8Array; frontend: Uint8Array }> {
  const [backend, frontend] = await Promise.all([bundle("backend.ts"), bundle("frontend.ts")]);
  return { backend, frontend };
}

async function bundle(entry: string): Promise<Uint8Array> {
  const result = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    banner: { js: banner },
    legalComments: "none",
    logLevel: "silent",
    // Optional parts of `pg`: the native binding, and a socket for another platform.
    external: ["pg-native", "cloudflare:sockets"],
  });
  const [file] = result.outputFiles;
  if (!file) throw new Error(`esbuild made nothing of ${entry}`);
  return file.contents;
}
