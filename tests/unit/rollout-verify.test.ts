import { afterEach, describe, expect, it, vi } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { brokenDatabase } from "../../cli/rollout/database-look.ts";
import { walk } from "../../cli/rollout/drive.ts";
import type { RolloutStack } from "../../cli/rollout/stack.ts";
import { Session } from "../../cli/session.ts";
import { stackSettings } from "../support/platform.ts";
import { options, WalkWorld } from "../support/walk.ts";

const { runTask } = vi.hoisted(() => ({ runTask: vi.fn() }));
vi.mock("../../cli/database/run.ts", () => ({ runTask }));
vi.mock("../../cli/database/cluster.ts", () => ({ toolCluster: () => ({}) }));

afterEach(() => runTask.mockReset());

describe("a walk whose database stops holding", () => {
  it("asks before each rung but the first, which the preflight answers for, and stays where it is", async () => {
    const it = new WalkWorld();
    const asked: (number | undefined)[] = [];
    const broken = async () => {
      asked.push(it.live);
      return it.live === 50 ? "golive database verify does not hold: policies: 29 of 30" : undefined;
    };
    expect(await walk(it, { ...options, broken })).toMatchObject({
      outcome: "refused",
      live: 50,
      reason: "golive database verify does not hold: policies: 29 of 30",
      next: "put that right, then golive rollout resume",
      steps: [{ to: 10, outcome: "success" }, { to: 50, outcome: "success" }, { outcome: "not executed" }],
    });
    expect(asked).toEqual([10, 50]);
    expect(it.left).toMatchObject({ live: 50, written: 50 });
  });
});

describe("the database, asked before a rung", () => {
  const ask = (name: "local" | "staging" | "production", withDatabase = true) => {
    const settings = stackSettings(name);
    const { application } = settings;
    const { postgresql, ...stores } = application.stores;
    const own = withDatabase ? settings : { ...settings, application: { ...application, stores } };
    const stack = { name, place: { namespace: name }, cluster: {}, settings: async () => own };
    return brokenDatabase(stack as unknown as RolloutStack, new Session(lineProgress(() => {})));
  };
  const answers = (rows: readonly object[]) =>
    runTask.mockResolvedValue({ exitCode: 0, message: "", result: { rows } });

  it("holds when each check does, by one Job that reads", async () => {
    answers([{ check: "policies", found: "30", ok: true }]);
    expect(await ask("production")).toBeUndefined();
    expect(runTask.mock.calls.map(([, task]) => task)).toEqual([{ command: "verify", args: [], seconds: 600 }]);
  });

  it.each([
    [[{ check: "policies", found: "29\nof 30", ok: false }], "does not hold: policies: 29 of 30"],
    [[], "does not hold: nothing was verified"],
  ])("keeps the release where it is, and says what does not hold (%#)", async (rows, says) => {
    answers(rows);
    expect(await ask("staging")).toBe(`golive database verify ${says}`);
  });

  it("keeps it, too, where nobody could ask", async () => {
    runTask.mockRejectedValue(new Error("no CronJob postgres-tools in namespace production"));
    expect(await ask("production")).toBe(
      "golive database verify could not be asked: no CronJob postgres-tools in namespace production",
    );
  });

  it("is not asked of a rehearsal, nor of an application without one", async () => {
    expect(await ask("local")).toBeUndefined();
    expect(await ask("production", false)).toBeUndefined();
    expect(runTask).not.toHaveBeenCalled();
  });
});
