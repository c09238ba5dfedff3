import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { borrowCluster } from "../../cli/borrowed-cluster.ts";
import { Failure } from "../../cli/failure.ts";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { places } from "../../local/places.ts";
import { run } from "../../local/run.ts";

const cluster = vi.hoisted(() => ({ owner: undefined as { clone: string } | undefined, up: vi.fn(), down: vi.fn() }));
vi.mock("../../local/cluster/cluster.ts", () => ({ clusterUp: cluster.up, clusterDown: cluster.down }));
vi.mock("../../local/cluster/owner.ts", () => ({ readOwner: async () => cluster.owner }));
vi.mock("../../cli/cluster-address.ts", () => ({ clusterAnswers: async () => false }));

const borrow = async (owner: string | undefined, up: () => Promise<unknown>) => {
  vi.stubEnv("GOLIVE_KUBECONFIG", "");
  cluster.owner = undefined;
  cluster.down.mockReset();
  cluster.up.mockImplementation(() => {
    cluster.owner = owner === undefined ? undefined : { clone: owner };
    return up();
  });
  const session = new Session(lineProgress(() => undefined));
  return { session, borrowed: borrowCluster(session, false) };
};

describe("a cluster that is borrowed", () => {
  it("is stopped at the end of the command that started it", async () => {
    const { session, borrowed } = await borrow(places.root, async () => ({ kubeconfig: "file", ours: true }));
    expect(await borrowed).toEqual({ kubeconfig: "file", ours: true, started: true });
    expect(await session.end()).toEqual([]);
    expect(cluster.down).toHaveBeenCalledTimes(1);
  });

  it("is stopped when its start failed half-way, but not when it was refused or is another clone's", async () => {
    const refuse = () => Promise.reject(new Failure("refused", 2));
    for (const [owner, stops] of [
      [places.root, 1],
      ["/elsewhere", 0],
      [undefined, 0],
    ] as const) {
      const { session, borrowed } = await borrow(owner, refuse);
      await expect(borrowed).rejects.toThrow("refused");
      expect(await session.end()).toEqual([]);
      expect(cluster.down).toHaveBeenCalledTimes(stops);
    }
  });

  it("is stopped after a start that is under way, whose commands are ended", async () => {
    const begun = new EventTarget();
    const isBegun = once(begun, "begun");
    const { session, borrowed } = await borrow(places.root, () => {
      const command = run("sleep", ["60"]);
      begun.dispatchEvent(new Event("begun"));
      return command;
    });
    const failed = expect(borrowed).rejects.toThrow("sleep 60 ended with exit code 128");
    await isBegun;
    expect(await session.end()).toEqual([]);
    await failed;
    expect(cluster.down).toHaveBeenCalledTimes(1);
  });
});
