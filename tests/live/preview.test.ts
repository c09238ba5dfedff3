import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkText } from "../../cli/policy.ts";
import { ownPack, previewOf } from "../../cli/preview/judged.ts";
import type { Preview } from "../../cli/preview/model.ts";
import { markdownOf } from "../../cli/preview/render.ts";
import type { Progress } from "../../cli/progress.ts";
import { type Workspace, workspaceAt } from "../../cli/workspace.ts";
import { places } from "../../local/places.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };
const options = (workspace: Workspace) => ({ pack: ownPack, strict: true, progress: silent, workspace });

/** A directory that describes stack production for a program of its own, with lines of its file replaced. */
async function productionWith(main: string, replace: readonly (readonly [string, string])[] = []): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "golive-preview-"));
  const project = await readFile(join(places.root, "Pulumi.yaml"), "utf8");
  await writeFile(join(directory, "Pulumi.yaml"), project.replace("main: index.ts", `main: ${main}`));
  const file = await readFile(join(places.root, "Pulumi.production.yaml"), "utf8");
  const changed = replace.reduce((text, [from, to]) => text.replace(from, to), file);
  await writeFile(join(directory, "Pulumi.production.yaml"), changed);
  return directory;
}

async function previewed(source: string): Promise<Preview> {
  const directory = await mkdtemp(join(tmpdir(), "golive-preview-state-"));
  try {
    return await previewOf("production", options(workspaceAt(directory, source)));
  } finally {
    await rm(directory, { recursive: true });
    await rm(source, { recursive: true });
  }
}

describe("the preview of stack production, judged by the policy pack", () => {
  let stack: LiveStack;
  beforeAll(async () => {
    stack = await LiveStack.open("production");
  });
  afterAll(() => stack.close());

  it("has nothing to object to, in Pulumi's own words", async () => {
    const run = await stack.preview("--policy-pack", ownPack);
    expect(textOf(run)).not.toMatch(/\[mandatory\]|\[advisory\]/);
    expect(run.exitCode).toBe(0);
  });

  it("has every mandatory rule decided", async () => {
    const read = await previewOf("production", options(stack.workspace));
    expect(checkText(read)).toBe("0 violations, 0 undecidable; stack production keeps the mandatory policies");
    expect(markdownOf(read)).toContain("## Preview of production: nothing to object to");
  });
});

describe("with ten faults in what the program declares, the preview fails", () => {
  let read: Preview;
  beforeAll(async () => {
    read = await previewed(await productionWith(join(import.meta.dirname, "preview", "index.ts")));
  });

  it("and refuses", () => {
    expect(read.verdict).toBe("refused");
  });

  it.each([
    ["a privileged container", "privileged", "Deployment taskflow-frontend-green"],
    ["a literal password", "no-credentials-in-pods", "Deployment taskflow-backend-blue"],
    ["a missing weight", "route-weights-sum-to-100", "HTTPRoute taskflow"],
    ["an image `latest`", "release-images-by-digest", "Deployment taskflow-backend-green"],
    ["a container without limits", "requests-and-limits", "Deployment blackbox-exporter"],
    ["a role that may do anything", "no-wildcards", "Role guard"],
    ["a port on every node", "services-stay-inside", "Service taskflow-frontend-blue"],
    ["a database that anybody may delete", "data-is-protected", "Cluster postgres"],
    ["a network policy that lets everybody in", "only-intended-connections", "NetworkPolicy postgres"],
    ["a Helm release", "no-hidden-workloads", "Release somebody-elses-chart"],
  ])("and names %s", (_, rule, resource) => {
    const found = read.policies?.violations.filter((finding) => finding.rule === rule) ?? [];
    expect(found.map(({ level, resource }) => `${level} ${resource}`)).toContain(`mandatory ${resource}`);
    expect(markdownOf(read)).toContain(`**mandatory** \`${rule}\` on ${resource}: `);
  });

  it("and gives the password away nowhere", () => {
    expect(JSON.stringify(read)).not.toContain("planted-in-clear");
  });
});

describe("a preview that cannot be evaluated", () => {
  it("says so, and why: nobody may take it for a good one", async () => {
    const source = await productionWith(join(places.root, "index.ts"), [
      ["candidateTraffic: 0", "candidateTraffic: 30"],
    ]);
    const read = await previewed(source);
    expect(read.verdict).toBe("unknown");
    expect(read.objections.join()).toContain("golive:candidateTraffic");
  });
});
