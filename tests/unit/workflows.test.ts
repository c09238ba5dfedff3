import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { delivery } from "../../cli/delivery.ts";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { places } from "../../local/places.ts";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": unknown };
  readonly "timeout-minutes"?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: object;
  readonly concurrency?: { readonly "cancel-in-progress": unknown };
  readonly jobs: Readonly<Record<string, Job>>;
}

const directory = join(places.root, ".github", "workflows");
const workflows = readdirSync(directory).map((file) => {
  const text = readFileSync(join(directory, file), "utf8");
  return { name: file.replace(/\.yml$/, ""), text, workflow: parse(text, { merge: true }) as Workflow };
});
const jobs = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([job, value]) => ({ title: `${name}/${job}`, workflow, name, job: value })),
);
const commands = jobs.flatMap(({ title, job }) =>
  job.steps.flatMap(({ run }) => (run === undefined ? [] : [{ title, run }])),
);
const runsOf = ({ steps }: Job) => steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

/** All that any job may do on GitHub: whoever wants more says so here. */
const rights: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "checks/tests": { contents: "read" },
  "checks/audit": { contents: "read" },
  "checks/stacks": { contents: "read" },
  "checks/images": { contents: "read" },
  "checks/scanned": { contents: "read" },
  "preview/stacks": { contents: "read" },
  "preview/preview": { contents: "read", "id-token": "write", "pull-requests": "write" },
  "preview/previewed": { contents: "read" },
  "deliver/stacks": { contents: "read", actions: "read" },
  "deliver/staging": { contents: "read", "id-token": "write" },
  "deliver/production": { contents: "read", "id-token": "write" },
  "drift/stacks": { contents: "read" },
  "drift/drift": { contents: "read", "id-token": "write", issues: "write" },
};

describe("the workflows", () => {
  it.each(commands)("$title: $run is one golive command, so that it runs and is tested on any machine", ({ run }) => {
    const words = run.trim().split(/\s+/);
    expect(run.trim()).not.toMatch(/[\n;|&<>`]|\$\(/);
    expect(words[0]).toBe("./golive");
    expect(["check", "test", "delivery", "policy", "rollout"]).toContain(words[1]);
    if (words[1] === "delivery") expect(delivery.help).toContain(`\n  ${words[2]} `);
  });

  it.each(commands)("$title: $run takes nothing of an event but through its environment, quoted", ({ run }) => {
    expect(run).not.toContain("${{");
    expect(run.replaceAll(/"\$[A-Z_]+"/g, "")).not.toContain("$");
  });

  it("name every action by its commit, with the version that it is", () => {
    const uses = workflows.flatMap(({ text }) => text.match(/uses:.*/g) ?? []);
    expect(uses.length).toBeGreaterThan(10);
    for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    // One version of each action, so that an update is one change everywhere.
    const actions = new Map(uses.map((line) => [line.replace(/@.*/, ""), line]));
    expect(new Set(uses)).toEqual(new Set(actions.values()));
  });

  it("give each job the rights that it needs, and none to a job that is not listed", () => {
    for (const { workflow } of workflows) expect(workflow.permissions).toEqual({});
    expect(Object.fromEntries(jobs.map(({ title, job }) => [title, job.permissions]))).toEqual(rights);
  });

  it("hold no secret: a job shows its own identity instead", () => {
    for (const { text } of workflows)
      expect(text).not.toMatch(/secrets\s*[.[]|secrets:\s*inherit|PASSWORD|PASSPHRASE|ACCESS_KEY/i);
  });

  it("leave no token in the checkout, and give GitHub's to the steps that need it only", () => {
    for (const { job } of jobs) {
      expect(job.env ?? {}).not.toHaveProperty("GITHUB_TOKEN");
      for (const step of job.steps) {
        if (step.uses?.startsWith("actions/checkout@"))
          expect(step.with).toMatchObject({ "persist-credentials": false });
        if (step.env?.GITHUB_TOKEN !== undefined)
          expect(step.run).toMatch(/^\.\/golive delivery (publish|latest|stacks) /);
      }
    }
  });

  it("never run a stranger's code with rights: no trigger of theirs gets an identity, and forks get no preview", () => {
    for (const { name, workflow } of workflows) {
      expect(Object.keys(workflow.on), name).not.toContain("pull_request_target");
      expect(Object.keys(workflow.on), name).not.toContain("workflow_run");
      expect(Object.keys(workflow.on), name).not.toContain("issue_comment");
      if (!Object.hasOwn(workflow.on, "pull_request")) continue;
      const own = "github.event.pull_request.head.repo.full_name == github.repository";
      for (const job of Object.values(workflow.jobs)) {
        const isStrong = Object.values(job.permissions ?? {}).includes("write");
        if (!isStrong) continue;
        const first = [job.needs ?? []].flat().map((each) => workflow.jobs[each]);
        expect(
          [job, ...first].some((each) => (each?.if ?? "").split(" && ").includes(own)),
          name,
        ).toBe(true);
      }
    }
  });

  it("write nothing for another branch than main, started by hand or not", () => {
    for (const { name, workflow } of workflows) {
      if (Object.hasOwn(workflow.on, "pull_request")) continue;
      const { stacks, ...others } = workflow.jobs;
      expect(stacks?.if, name).toBe("github.ref == 'refs/heads/main'");
      for (const job of Object.values(others)) {
        expect([job.needs ?? []].flat(), name).toContain("stacks");
        // Whoever goes on after a failure says itself that the job stacks, which runs for main only, has succeeded.
        if (/always|cancelled|failure/.test(job.if ?? ""))
          expect(job.if, name).toMatch(/^\$\{\{ !cancelled\(\) && needs\.stacks\.result == 'success' && /);
      }
    }
  });

  it("end by themselves", () => {
    for (const { title, job } of jobs) expect(job["timeout-minutes"], title).toBeLessThanOrEqual(350);
  });
});

describe("golive delivery", () => {
  it("has help of its own for each of its words", async () => {
    const words = [...delivery.help.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, word = ""]) => word);
    expect(words).toHaveLength(14);
    for (const word of words) expect(await delivery.helpOf?.([word])).toContain(`golive delivery ${word}`);
  }, 60_000);

  it.each([
    [["preveiw"], 'got "preveiw"; did you mean preview?'],
    [[], "got nothing; allowed: stacks, login"],
    [["up"], "golive delivery up: --stack: got nothing"],
  ])("says what is allowed to whoever asks for %j", async (args, message) => {
    await expect(delivery.run(args, new Session(lineProgress(() => {})))).rejects.toThrow(message);
  });
});

describe("an up", () => {
  const ups = jobs.filter(({ job }) => runsOf(job).some((run) => run.includes(" delivery up ")));

  it("is there for staging and production", () => {
    expect(ups.map(({ title }) => title)).toEqual(["deliver/staging", "deliver/production"]);
  });

  it.each(ups)(
    "$title is never cancelled, waits for others of its stack, and is not overtaken",
    ({ job, workflow, title }) => {
      const stack = title.split("/")[1];
      expect(job.concurrency).toEqual({ group: `up-${stack}`, "cancel-in-progress": false });
      // Of whole runs that wait GitHub keeps the last one, which does not know what the others would have brought.
      expect(workflow.concurrency).toBeUndefined();
      expect(runsOf(job)[0]).toBe(`./golive delivery latest --stack ${stack}`);
    },
  );

  it.each(ups)("$title has an environment of its own, and no pull request can start it", ({ job, workflow, title }) => {
    expect(job.environment).toBe(title.split("/")[1]);
    expect(workflow.on).toEqual({ push: { branches: ["main"] }, workflow_dispatch: null });
  });

  it.each(ups)("$title comes after the policies have judged every value, undecidable ones too", ({ job }) => {
    const order = runsOf(job).map((run) => run.split(" --")[0]);
    expect(order.indexOf("./golive policy check")).toBeGreaterThanOrEqual(0);
    expect(order.indexOf("./golive policy check")).toBeLessThan(order.indexOf("./golive delivery up"));
  });

  it("of production takes only images that staging has proven, and comes after staging", () => {
    const production = workflows.find(({ name }) => name === "deliver")?.workflow.jobs.production;
    if (production === undefined) throw new Error("there is no job production");
    expect(production.needs).toContain("staging");
    const order = runsOf(production).map((run) => run.split(" --")[0]);
    expect(order.indexOf("./golive delivery promoted")).toBeGreaterThanOrEqual(0);
    expect(order.indexOf("./golive delivery promoted")).toBeLessThan(order.indexOf("./golive delivery up"));
  });
});

describe("a run of deliver", () => {
  const deliver = workflows.find(({ name }) => name === "deliver")?.workflow.jobs ?? {};
  /** GitHub's expression, as JavaScript reads it: of what it uses here both have the same. */
  const holds = (condition: string | undefined, needs: object, isCancelled = false): boolean =>
    Boolean(
      new Function("needs", "contains", "fromJSON", "cancelled", `return ${condition?.replace(/^\$\{\{|\}\}$/g, "")}`)(
        needs,
        (list: readonly string[], item: string) => list.includes(item),
        JSON.parse,
        () => isCancelled,
      ),
    );
  const found = (stacks: readonly string[], shared: boolean, result = "success") => ({
    result,
    outputs: { stacks: JSON.stringify(stacks), shared: String(shared) },
  });
  const staging = (result: string, evidence = "{}") => ({ result, outputs: { evidence } });
  const both = ["production", "staging"];

  it("counts every commit since the last green run, so that nothing is lost with a job that was cancelled or overtaken", () => {
    const step = deliver.stacks?.steps.find(({ run }) => run?.includes("delivery stacks"));
    expect(step?.run).toBe('./golive delivery stacks --base "$BASE" --undelivered');
    expect(step?.env).toEqual({ BASE: `\${{ github.event.before }}`, GITHUB_TOKEN: `\${{ github.token }}` });
  });

  it.each([
    ["after staging succeeded", found(both, true), staging("success"), true],
    [
      "though staging holds a step of its own, as a way down may not wait",
      found(both, false),
      staging("failure"),
      true,
    ],
    ["not after staging refused what concerns both", found(both, true), staging("failure"), false],
    [
      "not where staging was cancelled or overtaken: the newer run delivers it",
      found(both, false),
      staging("cancelled", ""),
      false,
    ],
    ["not when it is not concerned", found(["staging"], false), staging("success"), false],
    ["not when nobody knows what is concerned", found(both, false, "failure"), staging("success"), false],
  ])("goes on to production %s", (_, stacks, before, expected) => {
    expect(holds(deliver.production?.if, { stacks, staging: before })).toBe(expected);
    expect(holds(deliver.production?.if, { stacks, staging: before }, true)).toBe(false);
  });

  it("without evidence of staging that succeeded comes to production all the same, where it is refused: it is not green", () => {
    expect(holds(deliver.production?.if, { stacks: found(both, true), staging: staging("success", "") })).toBe(true);
  });

  it("reads what staging has proven also where its own step was held", () => {
    expect(deliver.staging?.steps.at(-1)).toMatchObject({ id: "evidence", if: `\${{ !cancelled() }}` });
  });
});

describe("the checks that main requires", () => {
  const text = readFileSync(join(places.root, "docs", "delivery.md"), "utf8");
  const listed = /these checks required: ([^.]+)\./.exec(text)?.[1]?.match(/(?<=`)\w+(?=`)/g) ?? [];

  it("stand in the documents, and have one name whatever the stacks are", () => {
    expect(listed).toEqual(["tests", "audit", "scanned", "previewed"]);
    const own = jobs.filter(({ name }) => name === "checks" || name === "preview");
    for (const each of listed) {
      const job = own.find(({ title }) => title.endsWith(`/${each}`))?.job;
      expect(job, each).toBeDefined();
      expect(job, each).not.toHaveProperty("strategy");
      expect(job, each).not.toHaveProperty("name");
    }
  });

  it.each([
    ["checks", "scanned", "images"],
    ["preview", "previewed", "preview"],
  ])("%s/%s sees how each stack's job has ended, also when none was started", (workflow, name, matrix) => {
    const job = jobs.find(({ title }) => title === `${workflow}/${name}`)?.job;
    expect(job).toMatchObject({ needs: ["stacks", matrix], if: "always()" });
    expect(job?.steps.at(-1)).toMatchObject({
      env: { NEEDS: `\${{ toJSON(needs) }}` },
      run: './golive delivery complete --needs "$NEEDS"',
    });
  });
});

describe("golive delivery complete", () => {
  const session = new Session(lineProgress(() => {}));
  const ended = (stacks: string, list: string, matrix: string) =>
    JSON.stringify({ stacks: { result: stacks, outputs: { stacks: list } }, images: { result: matrix, outputs: {} } });

  it.each([
    ["every stack's job has succeeded", ended("success", '["staging"]', "success")],
    ["no stack was concerned", ended("success", "[]", "skipped")],
  ])("holds when %s", async (_, needs) => {
    expect(await delivery.run(["complete", "--needs", needs], session)).toBe(0);
  });

  it.each([
    ["a stack's job has failed", ended("success", '["staging"]', "failure"), "not complete: job images: failure."],
    ["one was cancelled", ended("success", '["staging"]', "cancelled"), "not complete: job images: cancelled."],
    [
      "it was skipped though there are stacks, as for a fork",
      ended("success", '["staging"]', "skipped"),
      "not complete: job images: skipped. Allowed: success, or skipped where the job stacks found none. Next: its log; a fork's " +
        "pull request gets no preview, until somebody who may write here pushes its branch to this repository",
    ],
    [
      "nobody found out which stacks there are",
      ended("failure", "[]", "skipped"),
      "not complete: job stacks: failure; job images: skipped.",
    ],
  ])("refuses when %s", async (_, needs, message) => {
    await expect(delivery.run(["complete", "--needs", needs], session)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: 1,
    });
  });

  it.each(["", "[]", '{"images":{"result":"success","outputs":{}}}'])(
    "takes %j for no context at all",
    async (needs) => {
      await expect(delivery.run(["complete", "--needs", needs], session)).rejects.toMatchObject({
        message: expect.stringMatching(/--needs: (got nothing|allowed: toJSON\(needs\), with the job stacks in it)/),
        exitCode: 2,
      });
    },
  );
});

describe("a preview and a look for drift", () => {
  it.each(jobs.filter(({ name }) => name === "preview" || name === "drift"))(
    "$title changes nothing on a stack, and works in an environment that may not",
    ({ job, name }) => {
      for (const run of runsOf(job))
        expect(run).toMatch(/^\.\/golive delivery (stacks|login|preview|drift|publish|complete) ?/);
      const isLoggedIn = runsOf(job).some((run) => run.includes(" login "));
      expect(job.environment).toBe(isLoggedIn ? `${name}-\${{ matrix.stack }}` : undefined);
    },
  );

  it("tell what they found also when it is bad: that is what they are for", () => {
    const published = jobs.flatMap(({ job }) => job.steps.filter(({ run }) => run?.includes(" publish ")));
    expect(published).toHaveLength(2);
    for (const step of published) expect(step.if).toMatch(/^\$\{\{ !cancelled\(\) \}\}$/);
  });
});
