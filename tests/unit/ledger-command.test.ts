import { beforeEach, describe, expect, it, vi } from "vitest";
import { record, recordPlan, tell } from "../../cli/rollout/record.ts";
import { headText } from "../../rollout/ledger/pages.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { headOf } from "../../rollout/ledger/store.ts";
import { failureOf } from "../support/failure.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { step, write } from "../support/ledger-records.ts";

let api: LedgerApi;
beforeEach(() => {
  api = new LedgerApi();
});

/** What a person at a terminal sees, and the exit code. */
async function golive(line: string, head?: string) {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    }),
  );
  try {
    const args = [...line.split(" ").filter((word) => word !== ""), ...(head === undefined ? [] : ["--head", head])];
    return { exitCode: await tell(recordPlan(args), api, place), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const walk = [step("up", 0, 10), step("trip", 10, 0, { who: "guard", reason: "12 % errors" })];
const fixed = { releases: { blue: "1.0.0-aaaa", green: "2.0.1-cccc" } };

describe("the command line of golive rollout record", () => {
  const plain = { stack: "local", form: "text", all: false, head: undefined };
  const head = `3 ${"a".repeat(64)}`;
  it.each([
    [[], plain],
    [["--stack", "production", "--verify"], { ...plain, stack: "production", form: "verify" }],
    [["--markdown", "--all"], { ...plain, form: "markdown", all: true }],
    [["--json", "--head", head], { ...plain, form: "json", head }],
  ])("%j is understood", (args, plan) => {
    expect(recordPlan(args)).toEqual(plan);
  });

  it.each([
    [["now"], 'golive rollout record: got "now"; it takes options only. See: golive rollout record --help'],
    [
      ["--json", "--verify"],
      "golive rollout record: got --verify and --json; allowed: one of them. See: golive rollout record --help",
    ],
    [
      ["--head", "12"],
      'golive rollout record: --head: got "12"; allowed: a number and a SHA-256 sum, as --verify prints them',
    ],
  ])("%j is refused with what is allowed", (args, message) => {
    expect(failureOf(() => recordPlan(args))).toEqual({ message, exitCode: 2 });
  });

  it("says in its help what every option does", () => {
    for (const option of ["--verify", "--markdown", "--json", "--all", "--head", "--stack"])
      expect(record.help).toContain(`  ${option}`);
  });
});

describe("golive rollout record", () => {
  it("prints the record of the newest deployment, and that the chain is whole", async () => {
    await write(api, [...walk, step("up", 0, 10, fixed), step("up", 10, 100, fixed)]);
    const { exitCode, stdout, stderr } = await golive("");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const head = headText(headOf(await api.pages()));
    expect(stdout.split("\n")).toEqual([
      "Application         taskflow (stack production)",
      "Deployment Date     2026-11-21",
      "Version Deployed    2.0.1-cccc (green)",
      "Deployed By         Ada <ada@example.com>",
      "Start Time          2026-11-21T12:02:00.000Z",
      "End Time            2026-11-21T12:03:00.000Z",
      "Duration            1 min 0 s",
      "Issues Encountered  none",
      "Rollback Required   No",
      "Status              Success",
      "",
      "record  time                      kind  from               to                 who                    reason",
      "3       2026-11-21T12:02:00.000Z  up    blue 100, green 0  blue 90, green 10  Ada <ada@example.com>  0 -> 10",
      "4       2026-11-21T12:03:00.000Z  up    blue 90, green 10  blue 0, green 100  Ada <ada@example.com>  10 -> 100",
      "",
      `4 records, each as it was written; head ${head}`,
      "",
    ]);
  });

  it("prints every deployment when asked, and the steps of a ledger without any", async () => {
    await write(api, [step("stay", 0, 0)]);
    expect((await golive("")).stdout).toMatch(/^record .*\n1 .* stay /);
    await write(api, [...walk, step("up", 0, 10, fixed)]);
    const { stdout } = await golive("--all");
    expect(stdout.match(/^Version Deployed.*$/gm)).toEqual([
      "Version Deployed    2.0.0-bbbb (green)",
      "Version Deployed    2.0.1-cccc (green)",
    ]);
  });

  it("ends with 1 and says what is wrong when one byte was changed, in every form", async () => {
    await write(api, walk);
    api.data()["000001"] = (api.data()["000001"] ?? "").replace("Ada", "Bob");
    for (const form of ["", "--verify", "--markdown", "--json"]) {
      const { exitCode, stderr } = await golive(form);
      expect({ form, exitCode }).toEqual({ form, exitCode: 1 });
      expect(stderr).toMatch(
        /^The ledger is broken:\n {2}record 000001 \(ConfigMap taskflow-ledger\): it was changed: /,
      );
    }
    expect((await golive("--verify")).stdout).toMatch(/^2 records, 2 problems in the chain; head 2 /);
    expect((await golive("--markdown")).stdout).toMatch(/\*\*The ledger is broken:\*\*/);
  });

  it("finds that the newest record of a head that was noted is gone", async () => {
    await write(api, walk);
    const [, second] = await readLedger(api, place);
    const noted = second && headText(second);
    expect(await golive("--verify", noted)).toMatchObject({
      exitCode: 0,
      stdout: `2 records, each as it was written; head ${noted}\n`,
    });
    api.maps.clear();
    await write(api, walk.slice(0, 1));
    expect(await golive("--verify", noted)).toMatchObject({
      exitCode: 1,
      stderr: `The ledger is broken:\n  record 2: it is missing, and its hash was noted elsewhere (${second?.hash})\n`,
    });
  });

  it("gives everything as one line of JSON, each record once", async () => {
    const verdict = { outcome: "hold", reason: "none", numbers: { errors: Number.NaN }, waitSeconds: 3 } as const;
    await write(api, [step("up", 0, 10, { verdict }), ...walk.slice(1)]);
    const { stdout } = await golive("--json");
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({
      head: headText(headOf(await api.pages())),
      problems: [],
      deployments: [{ status: "Failed", rollback: true, records: [1, 2] }],
      records: [
        { number: 1, verdict: { numbers: { errors: "NaN" } } },
        { number: 2, kind: "trip" },
      ],
    });
  });

  it("never takes a ledger that is not there for one that is whole", async () => {
    expect(await failureOf(() => golive("--verify"))).toEqual({
      message:
        "there is no ledger in namespace production: no golive pulumi up has written the route of taskflow yet, or somebody deleted ConfigMap taskflow-ledger",
      exitCode: 1,
    });
  });

  it("says why the cluster does not tell", async () => {
    api.before = async () => {
      throw new Error("no answer within 10 s");
    };
    expect(await failureOf(() => golive(""))).toEqual({ message: "no answer within 10 s", exitCode: 1 });
  });
});
