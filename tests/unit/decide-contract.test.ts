import { describe, expect, it } from "vitest";
import type { Decision } from "../../rollout/decide.ts";
import type { Migration } from "../../rollout/schema/migrations.ts";
import { at, blue, green, ladderOf, refused, run } from "../support/decision.ts";
import { evenRules, pods, schemaRecord, told } from "../support/live.ts";

const expand: Migration = { name: "013_add_due_dates.sql", phase: "expand" };
const contract: Migration = { name: "014_drop_old_status.sql", phase: "contract" };
const later: Migration = { name: "015_drop_old_due.sql", phase: "contract" };

const schema = schemaRecord();
const asks = (...pending: readonly Migration[]) => ({ migrations: { pending, contract: contract.name } });
const applies = (...pending: readonly Migration[]) => ({ migrations: { pending, contract: undefined } });

const blueRetired = { blue: true, green: false };
/** Green has a live 100, blue is retired and has no pods. */
const full = { ...at(100, { retired: ["blue"] }), schema, pods: { blue: pods({ release: blue, replicas: 0 }) } };
const stay = { candidateTraffic: 100, retired: blueRetired };

const wouldRun = "golive:contract would run 014_drop_old_status.sql, which older releases do not survive:";
const setLater =
  "remove golive:contract for now; set it when one colour has a live 100 and the other is retired, in a run of its own";

describe("a contract migration (rule 8 and design section 6)", () => {
  it("runs with all traffic on one colour and the other one asleep, and is the point of no return for every other release", () => {
    expect(run(full, { ...stay, ...asks(expand, contract) })).toEqual({
      allowed: true,
      move: "contract",
      weights: { blue: 0, green: 100 },
      told: told({ candidateTraffic: 100, retired: ["blue"], outdated: [blue] }),
      mustBeReady: undefined,
      notes: [`point of no return: 014_drop_old_status.sql; can never serve again: ${blue}`],
    });
  });

  it("leaves behind every release that is known and not at 100: released, proven, or on a Deployment", () => {
    const live = {
      told: told({
        candidate: "blue",
        retired: ["blue"],
        releases: { blue: "3.0.0-cccc", green },
        proven: { blue, green: "1.9.0-dddd" },
        outdated: ["0.9.0-zzzz"],
      }),
      schema,
      pods: { blue: pods({ release: "2.9.0-eeee", replicas: 0 }) },
    };
    const desired = { candidate: "blue", retired: blueRetired, releases: { blue: "3.0.0-cccc", green } } as const;
    expect(run(live, { ...desired, ...asks(contract) })).toMatchObject({
      move: "contract",
      weights: { blue: 0, green: 100 },
      told: { outdated: ["0.9.0-zzzz", "3.0.0-cccc", blue, "2.9.0-eeee", "1.9.0-dddd"] },
    });
  });

  it("runs, too, when the other colour never had a release", () => {
    const only = { blue, green: undefined };
    expect(run({ ...at(0, { releases: only }), schema }, { releases: only, ...asks(contract) })).toMatchObject({
      move: "contract",
      told: { outdated: [] },
      notes: ["point of no return: 014_drop_old_status.sql; no other release is known"],
    });
  });

  it.each([
    {
      name: "while both colours serve",
      live: { ...at(50), schema },
      desired: { candidateTraffic: 50 },
      missing: ["no colour has a live 100 that it was told (told: blue 50, green 50)"],
    },
    {
      name: "while the other colour may have to come back",
      live: { ...at(100), schema },
      desired: { candidateTraffic: 100 },
      missing: ["blue was not retired before", "blue still has pods of backend, frontend"],
    },
    {
      name: "while the last pods of the retired colour are still there",
      live: { ...full, pods: { blue: pods({ release: blue, replicas: 0 }, { ready: 1 }) } },
      desired: stay,
      missing: ["blue still has pods of backend"],
    },
    {
      name: "while the colour at 100 is being repaired",
      live: {
        ...full,
        pods: { ...full.pods, green: pods({ release: green }, { release: "1.9.0-dddd" }) },
      },
      desired: stay,
      missing: [`the pods of green are not ready: backend runs 1.9.0-dddd, not ${green}`],
    },
    {
      name: "on a route that somebody edited",
      live: { ...full, rules: evenRules({ blue: 50, green: 50 }) },
      desired: { ...stay, candidateTraffic: 50 },
      missing: [
        "someone edited the route by hand (rule /api has blue 50, green 50 (told: blue 0, green 100); rule / has blue 50, green 50 (told: blue 0, green 100))",
        "no colour has a live 100 that it was told (told: blue 0, green 100)",
      ],
    },
    {
      name: "on a 100 that nobody told the route",
      live: {
        ...full,
        told: told({ candidateTraffic: 50, retired: ["blue"] }),
        rules: evenRules({ blue: 0, green: 100 }),
      },
      desired: stay,
      missing: [
        "someone edited the route by hand (rule /api has blue 0, green 100 (told: blue 50, green 50); rule / has blue 0, green 100 (told: blue 50, green 50))",
        "no colour has a live 100 that it was told (told: blue 50, green 50)",
      ],
    },
    {
      name: "together with the retirement that it waits for",
      live: { ...at(100), schema },
      desired: stay,
      missing: [
        "blue is retired in the same run",
        "blue was not retired before",
        "blue still has pods of backend, frontend",
      ],
    },
    {
      name: "together with a new release, a ladder and pods that come back",
      live: full,
      desired: {
        candidateTraffic: 100,
        releases: { blue: "3.0.0-cccc", green },
        ladder: ladderOf(10, 100),
      },
      missing: [
        "the release of blue changes in the same run",
        "blue gets its pods back in the same run",
        "the ladder changes in the same run",
      ],
    },
    {
      name: "together with the switch of roles",
      live: full,
      desired: { candidate: "blue", candidateTraffic: 0, retired: blueRetired },
      missing: ["candidate green -> blue in the same run"],
    },
    {
      name: "together with a step down, which then goes without it",
      live: { ...at(50), schema },
      desired: { candidateTraffic: 0 },
      missing: [
        "candidateTraffic 50 -> 0 in the same run",
        "no colour has a live 100 that it was told (told: blue 50, green 50)",
      ],
    },
  ] as const)("does not run $name", ({ live, desired, missing }) => {
    expect(run(live, { ...desired, ...asks(contract) })).toEqual(
      refused(`${wouldRun} ${missing.join("; ")}`, setLater),
    );
  });
});

describe("contract migrations on a database without a record", () => {
  it("run with all others on an empty one: the first run", () => {
    expect(run({ noRoute: true, pods: { blue: [], green: [] } }, asks(expand, contract, later))).toMatchObject({
      allowed: true,
      move: "create",
      told: { outdated: [] },
    });
  });

  it("are listed as pending when only the record was lost, but block nothing: the runner holds what config does not ask for", () => {
    expect(run(at(50), { candidateTraffic: 50, ...applies(expand, contract, later) })).toMatchObject({
      allowed: true,
      move: "stay",
      told: { outdated: [] },
    });
  });

  it("are held back when config asks for them while releases serve that may need what they take away", () => {
    expect(run(at(50), { candidateTraffic: 50, ...asks(expand, contract, later) })).toEqual(
      refused(`${wouldRun} no colour has a live 100 that it was told (told: blue 50, green 50)`, setLater),
    );
  });

  it.each([
    ["a record of the schema", { schema, pods: { blue: [], green: [] } }],
    ["pods", {}],
  ])("do not run with a new route where there are %s: nobody knows who has a live 100", (_, live) => {
    expect(run({ noRoute: true, ...live }, asks(contract))).toEqual(
      refused(
        "golive:contract would run 014_drop_old_status.sql together with a new route, which does not know yet who has a live 100",
        "remove golive:contract for now",
      ),
    );
  });
});

describe("a release from before a contract migration", () => {
  const after = { ...full, told: { ...full.told, outdated: [blue] } };
  const newBlue = { blue: "3.0.0-cccc", green };
  const advice =
    "give blue a new release, made for the schema as it is (while it is retired, or at 0); then its pods, then traffic";
  const neverAgain = refused(
    `blue would run ${blue}, a release from before a contract migration: it can never serve again`,
    advice,
  );

  it.each<readonly [string, Decision]>([
    ["gets no pods back", run(after, { candidateTraffic: 100 })],
    [
      "does not come back as the release of a colour that got another one",
      run({ ...at(100, { outdated: [blue], releases: newBlue }), schema }, { candidateTraffic: 100 }),
    ],
    [
      "does not come back in place",
      run(
        { ...at(0, { outdated: [blue], releases: newBlue }), schema },
        { inPlace: { colour: "blue", reason: "rollback" } },
      ),
    ],
    [
      "does not come back with a new route: the record of the schema remembers it, too",
      run({ noRoute: true, schema: schemaRecord({ outdated: [blue] }) }, {}),
    ],
  ])("%s", (_, decision) => {
    expect(decision).toEqual(neverAgain);
  });

  it("is remembered from the record, when the route forgot it", () => {
    const record = schemaRecord({ outdated: [blue] });
    expect(run({ ...full, schema: record }, { candidateTraffic: 100 })).toEqual(neverAgain);
    expect(run({ ...full, schema: record }, stay)).toMatchObject({ move: "stay", told: { outdated: [blue] } });
    expect(run({ noRoute: true, schema: record }, { releases: newBlue })).toMatchObject({
      move: "create",
      told: { outdated: [blue] },
    });
  });

  it("stays where it is while its colour is retired", () => {
    expect(run(after, stay)).toMatchObject({ allowed: true, move: "stay", told: { outdated: [blue] } });
  });

  it("makes room for a new one while its colour is retired; nothing is given up by that", () => {
    expect(run(after, { ...stay, releases: newBlue })).toMatchObject({ allowed: true, move: "stay", notes: [] });
    const renewed = { ...after, told: { ...after.told, releases: newBlue } };
    expect(run(renewed, { candidateTraffic: 100, releases: newBlue })).toMatchObject({ allowed: true, move: "retire" });
  });

  it("gets no traffic on the way down, though it has ready pods (rule 3)", () => {
    const live = { ...at(100, { outdated: [blue] }), schema };
    expect(run(live, { candidateTraffic: 50 })).toEqual(
      refused(
        `candidateTraffic 100 -> 50 would send users to blue, which cannot serve: its release ${blue} is from before a contract migration`,
        `${advice}; candidateTraffic stays as it is until then`,
      ),
    );
  });

  it.each([100, 10])("gets no traffic on the way up to %i, though it was proven and has ready pods (rule 6)", (to) => {
    const live = { ...at(0, { candidate: "blue", proven: { blue, green }, outdated: [blue] }), schema };
    expect(run(live, { candidate: "blue", candidateTraffic: to })).toEqual(
      refused(
        `candidateTraffic 0 -> ${to}, but blue cannot serve: its release ${blue} is from before a contract migration`,
        advice,
      ),
    );
  });

  it("is no refuge from a trip: what is left is said", () => {
    const live = { ...at(100, { outdated: [blue] }), schema, trip: "green: error ratio 12 %" };
    expect(run(live, { candidateTraffic: 100 })).toEqual(
      refused(
        "green was tripped (error ratio 12 %) and would get 100 %",
        `blue runs ${blue}, from before a contract migration, so no run sends it everything: set the weights by hand, or remove the annotation golive/trip`,
      ),
    );
  });

  it("that a hand edit gave traffic is taken off it again", () => {
    const live = { ...after, rules: evenRules({ blue: 50, green: 50 }), pods: {} };
    expect(run(live, stay)).toMatchObject({ allowed: true, move: "up", weights: { blue: 0, green: 100 } });
  });
});

describe("an expand migration", () => {
  it.each([0, 10, 50, 100])("runs at %i without moving traffic", (percent) => {
    expect(run({ ...at(percent), schema }, { candidateTraffic: percent, ...applies(expand) })).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 100 - percent, green: percent },
      told: told({ candidateTraffic: percent }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it("runs before the release that needs it, in the same run", () => {
    const desired = { releases: { blue, green: "3.0.0-cccc" }, ...applies(expand) };
    expect(run({ ...at(0), schema }, desired)).toMatchObject({ allowed: true, move: "stay" });
  });

  it("does not hold up the way down, nor the return to a proven release", () => {
    expect(run({ ...at(50), schema }, { candidateTraffic: 0, ...applies(expand) })).toMatchObject({ move: "down" });
    const switched = { ...at(0, { candidate: "blue", proven: { blue, green } }), schema };
    expect(run(switched, { candidate: "blue", candidateTraffic: 100, ...applies(expand) })).toMatchObject({
      move: "return",
    });
  });

  it.each([
    { pending: [expand], names: "013_add_due_dates.sql (expand)" },
    {
      pending: ["013", "014", "015", "016", "017"].map(
        (number) => ({ name: `${number}_x.sql`, phase: "expand" }) as const,
      ),
      names: "013_x.sql (expand), 014_x.sql (expand), 015_x.sql (expand) and 2 more",
    },
  ])("does not come with a step up: $names (rule 2)", ({ pending, names }) => {
    expect(run({ ...at(10), schema }, { candidateTraffic: 50, ...applies(...pending) })).toEqual(
      refused(
        `candidateTraffic 10 -> 50 in the same run as pending migrations: ${names}`,
        "apply them with candidateTraffic 10 first, then step",
      ),
    );
  });
});
