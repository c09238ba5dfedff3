import { beforeEach, describe, expect, it, vi } from "vitest";
import { benchRollback } from "../../cli/bench/rollback.ts";
import { figuresOf, missedAims, type RollbackFigures, rollbackText } from "../../cli/bench/rollback-report.ts";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import type { LoadRecord } from "../../local/load/records.ts";

const figures = (way: RollbackFigures["way"], seconds: number, failed: number): RollbackFigures => ({
  ...{ way, seconds, failed, requests: 17_000 },
});
const good = [figures("guard", 5, 225), figures("abort --now", 1.99, 90), figures("pulumi up", 22, 900)];

describe("the ways back", () => {
  it("keep their aims up to the last of them", () => {
    expect(missedAims(good)).toEqual([]);
    expect(rollbackText(good)).toMatch(/\n\nAims: held$/);
  });

  it("that miss one say which, what was measured and what was wanted", () => {
    const slow = [figures("guard", 5.04, 226), figures("abort --now", 2, 90), figures("pulumi up", 22, 900)];
    expect(missedAims(slow)).toEqual([
      "guard: 5.04 s from the first bad answer to the last; aim: at most 5 s",
      "guard: 226 failed requests; aim: at most 225, a sixth of Flagger's",
      "abort --now: 2.00 s from the first bad answer to the last; aim: less than 2 s",
    ]);
    expect(rollbackText(slow)).toMatch(/\n\nAims: 3 missed$/);
  });

  it("count from the first answer that failed until the candidate's last one", () => {
    const record = (at: number, ok: boolean, colour: "blue" | "green" = "green"): LoadRecord => ({
      ...{ at, ok, colour, ms: 10, kind: "api" },
    });
    const records = [record(0, true), record(1000, false), record(2500, true), record(9000, true, "blue")];
    expect(figuresOf("guard", records, "green")).toEqual({ way: "guard", seconds: 1.5, failed: 1, requests: 4 });
  });
});

const { done, world } = vi.hoisted(() => ({ done: [] as string[], world: { lastAnswer: 3000 } }));
vi.mock("../../cli/child.ts", () => ({
  runChild: async (_: string, args: readonly string[]) => {
    done.push(args.filter((arg) => !arg.startsWith("--") && arg !== "local").join(" "));
    return { exitCode: 0, stdout: "", stderr: "", seconds: 1 };
  },
}));
vi.mock("../../local/cluster/api.ts", () => ({
  kubectl: async ([verb, ...rest]: readonly string[]) => {
    if (verb === "scale") done.push(`guards ${rest[rest.indexOf("--replicas") + 1]}`);
    return "";
  },
}));
vi.mock("../../cli/cluster-address.ts", () => ({ answeringCluster: async () => undefined }));
vi.mock("../../cli/demo/faults.ts", () => ({
  orderErrors: async (share: number) => void done.push(share > 0 ? "errors" : "no errors"),
}));
vi.mock("../../cli/workspace.ts", async (original) => ({
  ...(await original<object>()),
  stackText: async () => "taskflow.localhost",
}));
vi.mock("node:timers/promises", () => ({ setTimeout: async () => undefined }));
vi.mock("node:fs/promises", async (original) => ({ ...(await original<object>()), writeFile: async () => undefined }));
vi.mock("../../local/load/load.ts", () => ({
  startLoad: async () => ({
    now: () => 5000,
    sample: async () => ({ to: 0, requests: 100, failed: done.at(-1) === "errors" ? 1 : 0, counted: { green: 0 } }),
    stop: async () => ({
      records: [
        { at: 1000, ms: 10, ok: false, colour: "green", kind: "api" },
        { at: world.lastAnswer, ms: 10, ok: true, colour: "green", kind: "api" },
      ],
    }),
  }),
}));

describe("golive bench rollback", () => {
  const said: string[] = [];
  const run = () => benchRollback(new Session(lineProgress(() => {})));
  beforeEach(() => {
    said.length = done.length = 0;
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
    return () => vi.restoreAllMocks();
  });

  it("takes the guard away only after the step to 10 %, which waits for one, and before any error", async () => {
    await run();
    const steps = done.filter((what) => /^(config|pulumi|guards|errors|no errors)/.test(what));
    const abort = steps.slice(steps.indexOf("errors") + 1);
    const set = (to: number) => `pulumi config set golive:candidateTraffic ${to}`;
    expect(abort.slice(0, 7)).toEqual(["no errors", set(0), "pulumi up", "guards 2", set(10), "pulumi up", "guards 0"]);
    expect(abort[7]).toBe("errors");
  });

  it("ends with 1 where an aim is missed, and says which", async () => {
    world.lastAnswer = 2500;
    expect([await run(), said]).toEqual([0, []]);
    world.lastAnswer = 3500;
    expect([await run(), said]).toEqual([
      1,
      ["golive bench rollback: abort --now: 2.50 s from the first bad answer to the last; aim: less than 2 s\n"],
    ]);
  });
});
