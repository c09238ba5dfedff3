import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Package {
  readonly name: string;
  readonly version: string;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly pulumi?: { readonly resource?: boolean; readonly name?: string; readonly version?: string };
}

/** The Pulumi plugins that a program's own dependencies name. Their versions are those that are installed. */
export function requiredPlugins(directory: string): readonly Package[] {
  return installed(directory)
    .filter(({ pulumi }) => pulumi?.resource === true)
    .map(({ name = "", version = "", pulumi }) => ({
      name: pulumi?.name ?? name.replace("@pulumi/", ""),
      version: `v${(pulumi?.version ?? version).replace(/^v/, "")}`,
    }));
}

/** The packages that a program depends on directly, as they are installed. */
export function dependencies(directory: string): readonly Package[] {
  return installed(directory).map(({ name = "", version = "" }) => ({ name, version }));
}

function installed(directory: string): readonly Manifest[] {
  const own = nearestManifest(directory);
  const require = createRequire(join(directory, "package.json"));
  return Object.keys(own?.dependencies ?? {}).flatMap((name) => {
    // The manifest itself may be hidden by the package's `exports`, so it is looked for where Node would look for the package.
    const places = require.resolve.paths(name) ?? [];
    const found = places.map((place) => manifest(join(place, name, "package.json"))).find((it) => it !== undefined);
    return found === undefined ? [] : [found];
  });
}

// A program may stand below the package that it is part of.
function nearestManifest(directory: string): Manifest | undefined {
  const parent = dirname(directory);
  return manifest(join(directory, "package.json")) ?? (parent === directory ? undefined : nearestManifest(parent));
}

function manifest(path: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
