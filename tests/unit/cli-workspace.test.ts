import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  resetStackFile,
  setUpProject,
  stackText,
  unknownStack,
  type Workspace,
  withSaltOf,
  workspaceAt,
} from "../../cli/workspace.ts";

let directory: string;
let workspace: Workspace;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-workspace-"));
  const checkout = join(directory, "checkout");
  await mkdir(checkout);
  workspace = workspaceAt(join(directory, "work"), checkout);
  await writeFile(join(checkout, "Pulumi.yaml"), "name: sample # ours\nmain: index.ts\n");
  await writeFile(join(checkout, "Pulumi.local.yaml"), "config:\n  golive:candidateTraffic: 0\n");
  await writeFile(join(checkout, "Pulumi.staging.yaml"), "config:\n  golive:candidateTraffic: 0\n");
});
afterEach(() => rm(directory, { recursive: true }));

const checkout = (name: string) => join(workspace.source, name);
const copy = (name: string) => join(workspace.project, name);

describe("the project directory", () => {
  it("has the checkout's Pulumi.yaml with a main that is found from there", async () => {
    expect(await setUpProject(workspace, "local")).toEqual({ name: "sample", outdated: false });
    expect(await readFile(copy("Pulumi.yaml"), "utf8")).toBe(`name: sample # ours\nmain: ${checkout("index.ts")}\n`);
  });

  it("keeps what was set on stack local, and tells when the checkout's file changed since", async () => {
    await setUpProject(workspace, "local");
    await writeFile(copy("Pulumi.local.yaml"), "config:\n  golive:candidateTraffic: 10\n");
    expect(await setUpProject(workspace, "local")).toEqual({ name: "sample", outdated: false });
    await writeFile(checkout("Pulumi.local.yaml"), "config:\n  golive:candidateTraffic: 0\n  golive:candidate: blue\n");
    expect(await setUpProject(workspace, "local")).toEqual({ name: "sample", outdated: true });
    expect(await readFile(copy("Pulumi.local.yaml"), "utf8")).toContain("candidateTraffic: 10");
  });

  it("has every other stack as the checkout says, with the salt that the engine wrote", async () => {
    await setUpProject(workspace, "staging");
    await writeFile(copy("Pulumi.staging.yaml"), "config:\n  golive:candidateTraffic: 50\nencryptionsalt: v1:salt\n");
    await setUpProject(workspace, "staging");
    expect(await readFile(copy("Pulumi.staging.yaml"), "utf8")).toBe(
      "config:\n  golive:candidateTraffic: 0\nencryptionsalt: v1:salt\n",
    );
  });

  it("starts anew on request, and can still read the state", async () => {
    await setUpProject(workspace, "local");
    await writeFile(copy("Pulumi.local.yaml"), "config:\n  golive:candidateTraffic: 10\nencryptionsalt: v1:salt\n");
    await resetStackFile(workspace, "local");
    expect(await readFile(copy("Pulumi.local.yaml"), "utf8")).toBe(
      "config:\n  golive:candidateTraffic: 0\nencryptionsalt: v1:salt\n",
    );
  });

  it("leaves the secrets provider of the real backend behind", () => {
    const real = "secretsprovider: kms://key\nencryptedkey: abc\nconfig: {}\n";
    expect(withSaltOf(undefined, real)).toBe("config: {}\n");
  });

  it("tells a text of a stack's file, and what is there instead", async () => {
    await writeFile(checkout("Pulumi.local.yaml"), "config:\n  golive:hostname: sample.localhost\n  golive:port: 80\n");
    expect(await stackText(workspace, "local", "golive:hostname")).toBe("sample.localhost");
    await expect(stackText(workspace, "local", "golive:port")).rejects.toThrow("golive:port: got 80; a text is needed");
    await expect(stackText(workspace, "local", "golive:name")).rejects.toThrow("golive:name: got nothing");
  });

  it("names the stacks that there are when one is not", async () => {
    expect((await unknownStack(workspace, "stagng")).message).toBe(
      'no stack "stagng": there is no Pulumi.stagng.yaml; allowed: local, staging',
    );
  });
});
