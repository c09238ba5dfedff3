import { rm } from "node:fs/promises";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Repository, repositoryOf } from "../../cli/delivery/github.ts";
import { keepReport, reportFile, reportKinds } from "../../cli/delivery/job.ts";
import { unevaluated } from "../../cli/delivery/preview.ts";
import { bodyOf, judgedAt, markOf, publish } from "../../cli/delivery/publish.ts";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { FakeGitHub } from "../support/github.ts";

const bot = "github-actions[bot]";
const mark = markOf("preview", "production");
const commit = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

describe("what is published on GitHub", () => {
  let github: FakeGitHub;
  let repository: Repository;

  beforeEach(async () => {
    github = new FakeGitHub();
    const api = await github.start();
    repository = repositoryOf({ GITHUB_API_URL: api, GITHUB_REPOSITORY: "golive/app", GITHUB_TOKEN: github.token });
  });
  afterEach(() => github.stop());

  it("is one comment, made by the first run and edited by the next, however many comments there are", async () => {
    for (let index = 0; index < 230; index++) github.add(github.comments, "ada", `remark ${index}`);
    expect(await repository.comment(7, mark, bodyOf(mark, "0 -> 10"))).toBe("made");
    expect(await repository.comment(7, mark, bodyOf(mark, "0 -> 10 -> 50"))).toBe("edited");
    expect(github.comments).toHaveLength(231);
    expect(github.comments.at(-1)?.body).toBe(`${mark}\n0 -> 10 -> 50\n`);
  });

  it("is left alone when it says the same already, so that nobody gets a mail for nothing", async () => {
    await repository.comment(7, mark, bodyOf(mark, "0 -> 10"));
    expect(await repository.comment(7, mark, bodyOf(mark, "0 -> 10"))).toBe("same");
    expect(github.writes).toEqual(["POST /issues/7/comments"]);
  });

  it("is one for each stack", async () => {
    await repository.comment(7, mark, bodyOf(mark, "a"));
    await repository.comment(7, markOf("preview", "staging"), bodyOf(markOf("preview", "staging"), "b"));
    expect(github.comments).toHaveLength(2);
  });

  it("never edits a comment of somebody else that carries our mark", async () => {
    github.add(github.comments, "mallory", `${mark}\nall is well`);
    expect(await repository.comment(7, mark, bodyOf(mark, "refused"))).toBe("made");
    expect(github.comments.map(({ user }) => user.login)).toEqual(["mallory", bot]);
  });

  it("of drift is one open issue, which the first run without drift closes and explains", async () => {
    const own = markOf("drift", "production");
    expect(await repository.openIssue(own, "Stack production has drifted", bodyOf(own, "- ConfigMap a"))).toBe("made");
    expect(await repository.openIssue(own, "Stack production has drifted", bodyOf(own, "- ConfigMap b"))).toBe(
      "edited",
    );
    expect(await repository.closeIssue(own, "as the stack left it")).toBe("closed");
    expect(github.issues.map(({ state }) => state)).toEqual(["closed"]);
    expect(github.comments.map(({ body }) => body)).toEqual(["as the stack left it"]);
    expect(await repository.closeIssue(own, "as the stack left it")).toBe("none");
  });

  it("says what GitHub refused, and which right the job may lack, without the token", async () => {
    github.refuses = { status: 403, message: "Resource not accessible by integration" };
    const refused = repository.comment(7, mark, "x");
    await expect(refused).rejects.toThrow(
      'GitHub answered GET /repos/golive/app/issues/7/comments with 403: {"message":"Resource not accessible by integration"}. ' +
        "Has the job the permission for it: pull-requests: write",
    );
    await expect(refused).rejects.not.toThrow(github.token);
  });

  it("names what a job must be given", () => {
    expect(() => repositoryOf({ GITHUB_REPOSITORY: "golive/app" })).toThrow("GITHUB_API_URL, GITHUB_TOKEN must be set");
  });

  it("knows the files that a branch changed since, both names of one that moved, and that it cannot name them all", async () => {
    github.changed = [{ filename: "docs/a.md", previous_filename: "Pulumi.production.yaml" }];
    expect(await repository.changedSince("abc", "main")).toEqual(["docs/a.md", "Pulumi.production.yaml"]);
    github.changed = Array.from({ length: 300 }, (_, index) => ({ filename: `docs/${index}.md` }));
    expect(await repository.changedSince("abc", "main")).toBeUndefined();
  });
});

describe("golive delivery publish", () => {
  const stack = `test-${process.pid}`;
  const session = new Session(lineProgress(() => {}));
  let github: FakeGitHub;

  beforeEach(async () => {
    github = new FakeGitHub();
    vi.stubEnv("GITHUB_API_URL", await github.start());
    vi.stubEnv("GITHUB_REPOSITORY", "golive/app");
    vi.stubEnv("GITHUB_TOKEN", github.token);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await github.stop();
    for (const kind of reportKinds) await rm(reportFile(kind, stack), { force: true });
  });

  it("puts the report that a step before it kept on the pull request, and drift into an issue until it is gone", async () => {
    await keepReport("preview", stack, "0 -> 10");
    expect(await publish.run(["preview", "--stack", stack, "--pull-request", "7", "--commit", commit], session)).toBe(
      0,
    );
    await keepReport("drift", stack, "- ConfigMap a");
    await publish.run(["drift", "--stack", stack], session);
    await keepReport("drift", stack, "");
    await publish.run(["drift", "--stack", stack], session);
    expect(github.writes).toEqual([
      "POST /issues/7/comments",
      "POST /issues",
      "POST /issues/2/comments",
      "PATCH /issues/2",
    ]);
  });

  it("takes back what an earlier run said when this one did not come as far as a preview", async () => {
    const words = ["preview", "--stack", stack, "--pull-request", "7", "--commit"];
    await keepReport(
      "preview",
      stack,
      `${markOf("preview", stack)}\n\n## Preview of ${stack}: nothing to object to\n\nAll.\n`,
    );
    await publish.run([...words, commit], session);
    await rm(reportFile("preview", stack));
    expect(await publish.run([...words, `f${commit.slice(1)}`], session)).toBe(0);
    expect(github.writes).toEqual(["POST /issues/7/comments", "PATCH /issues/comments/1"]);
    expect(github.comments.map(({ body }) => body)).toEqual([
      `${markOf("preview", stack)}\n## Preview of ${stack}: could not be evaluated\n\nOf commit \`fa1b2c3d4e\`, as it would be merged.\n\n` +
        "Nothing is known about this change (the job ended before it). The job's log says why.\n",
    ]);
  });

  it.each([
    [["drift", "--stack", stack], "there is no drift of stack"],
    [
      ["preview", "--stack", stack, "--pull-request", "7", "--commit", "HEAD"],
      '--commit: got "HEAD"; allowed: the whole hash of a commit',
    ],
    [["preview", "--stack", stack, "--pull-request", "7"], "--commit: got nothing"],
    [["preview", "--stack", stack, "--pull-request", "seven"], '--pull-request: got "seven"; allowed: its number'],
    [["preview", "--stack", stack], "--pull-request: got nothing"],
    [["plan", "--stack", stack], "got plan; allowed: preview, drift"],
  ])("refuses %j, and publishes nothing", async (args, message) => {
    await expect(publish.run(args, session)).rejects.toThrow(message);
    expect(github.writes).toEqual([]);
  });
});

describe("a report", () => {
  it("that brings its mark along, as a preview does, carries it once, as its first line", () => {
    expect(bodyOf(mark, `${mark}\n\n## Preview\n`)).toBe(`${mark}\n\n## Preview\n`);
    expect(bodyOf(mark, unevaluated("production", 2)).startsWith(`${mark}\n## Preview`)).toBe(true);
  });

  it("names the commit that was judged below its title, and nowhere else", () => {
    const report = "## Preview of a: clear\n\nTraffic: stays.\n\n## b\n";
    expect(judgedAt(report, commit)).toBe(
      "## Preview of a: clear\n\nOf commit `0a1b2c3d4e`, as it would be merged.\n\nTraffic: stays.\n\n## b\n",
    );
  });
});

describe("a report that is too long for GitHub", () => {
  it("ends after a whole line and says so", () => {
    const line = `- ${"x".repeat(97)}`;
    const body = bodyOf(mark, Array.from({ length: 1000 }, () => line).join("\n"));
    expect(body.length).toBeLessThanOrEqual(65_536);
    const lines = body.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("**Cut here: the rest is in the summary of the run.**");
    expect(new Set(lines.slice(1, -2))).toEqual(new Set([line]));
  });
});

describe("the report of a preview that could not be evaluated", () => {
  it("takes the place of what an earlier run said, and claims nothing", () => {
    expect(unevaluated("production", 2)).toBe(
      "## Preview of production: could not be evaluated\n\nNothing is known about this change (exit code 2). The job's log says why.\n",
    );
  });
});
