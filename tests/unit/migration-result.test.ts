import { describe, expect, it } from "vitest";
import { type PodObject, resultOf } from "../../rollout/schema/migration-result.ts";

const result = {
  version: "013",
  applied: { "013_m.sql": 12.5 },
  held: [],
  indexes: 44,
  policies: 30,
  tables: 12,
  durationMs: 1800,
};

const pod = (phase: string, message?: string): PodObject => ({
  metadata: { name: "taskflow-migrate-0123456789-x7x7x" },
  status: {
    phase,
    containerStatuses: [
      { name: "backup", state: { terminated: { message: "{}" } } },
      { name: "migrate", state: { terminated: message === undefined ? {} : { message } } },
    ],
  },
});

describe("the result of a migrations Job", () => {
  it("is what the migrate container of its pod that succeeded said last", () => {
    const pods = [pod("Failed", '{"version":"012"}'), pod("Succeeded", JSON.stringify(result))];
    expect(resultOf(pods, "local")).toEqual(result);
  });

  it("lacks the duration of each file where they were too many for a pod's last word", () => {
    const { applied: _, ...rest } = result;
    const said = JSON.stringify({ ...rest, omitted: ["applied"] });
    expect(resultOf([pod("Succeeded", said)], "local")).toEqual({ ...result, applied: {} });
  });

  it("is unknown when no pod that succeeded is there any more", () => {
    expect(resultOf([], "local")).toBe(undefined);
    expect(resultOf([pod("Failed", "no"), {}], "local")).toBe(undefined);
  });

  const next =
    "The migrations are applied, only their figures are unknown. Next: kubectl -n local delete pod taskflow-migrate-0123456789-x7x7x, then `pulumi up` again.";
  const where = "the last word of container migrate in pod taskflow-migrate-0123456789-x7x7x";

  it.each([
    ["nothing", pod("Succeeded"), `${where} is not the result of a migration (no JSON object): empty\n${next}`],
    [
      "something cut short",
      pod("Succeeded", '{"version":"013","appl'),
      `${where} is not the result of a migration (no JSON object): {"version":"013","appl\n${next}`,
    ],
    [
      "a word",
      pod("Succeeded", '"done"'),
      `${where} is not the result of a migration (no JSON object): "done"\n${next}`,
    ],
  ])("that is %s is refused, with the way on", (_, said, message) => {
    expect(() => resultOf([said], "local")).toThrow(message);
  });

  it("is unreadable, too, in a pod that names neither its container nor itself", () => {
    expect(() => resultOf([{ status: { phase: "Succeeded" } }], "local")).toThrow(
      "the last word of container migrate in pod ? is not the result of a migration (no JSON object): empty",
    );
  });
});
