import { describe, expect, it, vi } from "vitest";
import { lineOf } from "../../cli/rollout/line.ts";
import { promoted } from "../../cli/rollout/promote.ts";
import { retired } from "../../cli/rollout/retire.ts";
import type { DriverSession } from "../../cli/rollout/session.ts";
import { walkFrom } from "../../cli/rollout/start.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { standsAfter } from "../../rollout/ledger/record.ts";
import { place } from "../support/ledger-api.ts";
import { atTheTop, MortalWorld } from "../support/mortal-driver.ts";
import { fails, type Kill, passes, standing } from "../support/walk.ts";

vi.mock("../../rollout/ledger/origin.ts", () => ({
  originOf: async () => ({ who: "ada", commit: "1357ab8" }),
  whoOf: async () => "ada",
}));

const line = { ...lineOf("resume", []), commit: true };
const walks = (driver: DriverSession) => walkFrom(driver, line, "resume");

interface Scenario {
  readonly make: () => Promise<MortalWorld>;
  readonly work: (driver: DriverSession, it: MortalWorld) => Promise<unknown>;
  /** Trips in the ledger at the end. */
  readonly trips: number;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "a good release that walks up": { make: async () => new MortalWorld(), work: walks, trips: 0 },
  "a new release that is brought up first": {
    make: async () => new MortalWorld(standing, { releases: { blue: "r1", green: "r3" } }),
    work: walks,
    trips: 0,
  },
  "a release that fails at 50 and goes back to 0": {
    make: async () => {
      const it = new MortalWorld();
      it.gate = (live) => (live >= 50 ? fails : passes);
      return it;
    },
    work: walks,
    trips: 1,
  },
  "the switch of roles": { make: atTheTop, work: promoted, trips: 0 },
  "the retirement of the old colour, with its last backup": {
    make: atTheTop,
    work: (driver, { backups }) => retired(driver, backups),
    trips: 0,
  },
};

describe("a driver that is killed at any request to the API server, the engine or git, and started again", {
  timeout: 120_000,
}, () => {
  it.each(Object.keys(scenarios))("leaves users, file, git and ledger as if undisturbed: %s", async (name) => {
    const { make, work, trips } = scenarios[name] ?? expect.fail(name);
    const undisturbed = await make();
    await undisturbed.live((driver) => work(driver, undisturbed));
    const { left } = undisturbed;
    expect(left.git).toEqual(left.file);
    const kinds = new Set<string>();
    for (const [call, what] of undisturbed.calls.entries()) {
      const middles =
        what === "up"
          ? [0, 2, 4, 6].flatMap((after) => [true, false].map((routeFirst) => ({ after, routeFirst })))
          : [];
      for (const when of ["before", "after", ...middles] satisfies Kill["when"][]) {
        const it = await make();
        it.kill = { call, when };
        await it.live((driver) => work(driver, it));
        const killed = `killed at ${call} (${what}), ${JSON.stringify(when)}`;
        expect(it.left, killed).toEqual(left);
        const records = await readLedger(it.ledger, place);
        expect(verifyChain(await it.ledger.pages()), killed).toEqual([]);
        expect(records.filter(({ kind }) => kind === "trip").length, killed).toBe(trips);
        const last = records.at(-1);
        expect(last && standsAfter(last), killed).toEqual(it.left.shares[0]);
        kinds.add(what.split(" ")[0] ?? "");
      }
    }
    // All that a driver does to the world was a moment to die.
    expect([...kinds]).toEqual(expect.arrayContaining(["look", "GET", "write", "commit", "up"]));
  });
});
