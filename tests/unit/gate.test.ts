import { describe, expect, it } from "vitest";
import type { Counts, ServiceMeasured } from "../../rollout/gate/measured.ts";
import { beside, bothReady, counts, everywhere, judged, judgedOf, measured } from "../support/gate.ts";

const { NaN: nan, POSITIVE_INFINITY: infinite } = Number;

const saying = (outcome: string, reason: string, waitSeconds?: number) => ({ outcome, reason, waitSeconds });

describe("from 0", () => {
  it.each([
    ["passes with ready pods", true, saying("pass", "the candidate has ready pods and no traffic yet", 0)],
    ["waits for pods", false, saying("hold", "a service of the candidate has no pod that is ready")],
  ])("the gate %s, and asks for no measurement", (_, candidate, verdict) => {
    expect(judged({ from: 0, to: 10, ready: { candidate, stable: true } })).toEqual({ ...verdict, numbers: {} });
  });
});

describe("a candidate that is out completely", () => {
  const out = "a service of the candidate has 10 % of the requests and no pod that is ready";

  it("goes back although nothing can be measured: an outage outranks a hold", () => {
    expect(judged({ ready: { candidate: false, stable: true } })).toMatchObject(saying("rollback", out));
  });

  it("stays where it is while stable is out, too", () => {
    expect(judged({ ready: { candidate: false, stable: false } })).toMatchObject(
      saying("hold", `${out}, but a service of stable has no pod that is ready either: nothing to go back to`),
    );
  });

  it("goes back before there is a sample, when none of its requests was answered", () => {
    expect(judgedOf(beside(counts(40, 40, nan)), 30)).toMatchObject(
      saying("rollback", "backend: none of 40 requests to the candidate was answered, of stable's 0 of 360"),
    );
  });

  it("is not taken for one by two requests that failed", () => {
    expect(judgedOf(beside(counts(2, 2, nan)), 120).outcome).toBe("hold");
  });
});

describe("what is not known holds", () => {
  const good = beside(counts(3000, 1));
  const with3 = (candidate: Partial<Counts>, stable: Partial<Counts> = {}): ServiceMeasured =>
    beside({ ...counts(3000, 1), ...candidate }, { ...counts(27_000, 9), ...stable });
  const only = "only a number from 0 says anything";
  const finite = "only a finite number passes";

  it.each([
    ["nothing could be measured", judged({}), "nothing was measured"],
    ["no series at all", judged({ measured: measured(good, 900, nan) }), "nothing was measured: there is no series"],
    [
      "no service that answers requests",
      judged({ measured: { ...measured(good), services: {} } }),
      "nothing was measured: there is no service that answers requests",
    ],
    ["late", judged({ measured: measured(good, 900, 120) }), "the newest sample is 120 s old; allowed: 60 s"],
    [
      "ahead of the cluster's clock",
      judged({ measured: measured(good, 900, -300) }),
      "the newest sample is 300 s ahead of the cluster's clock; allowed: 60 s",
    ],
    [
      "a window that ends before it begins",
      judged({ measured: measured(good, -5) }),
      "the window is from 1800000005 to 1800000000: it must begin before it ends",
    ],
    ["NaN requests", judgedOf(with3({ requests: nan })), `backend: the requests of candidate are NaN; ${only}`],
    ["NaN errors", judgedOf(with3({ errors: nan })), `backend: the errors of candidate are NaN; ${only}`],
    [
      "infinite requests",
      judgedOf(with3({ requests: infinite })),
      `backend: the requests of candidate are Infinity; ${only}`,
    ],
    ["a counter reset", judgedOf(with3({ errors: -41 })), `backend: the errors of candidate are -41; ${only}`],
    [
      "stable's series missing",
      judgedOf(with3({}, { requests: nan })),
      `backend: the requests of stable are NaN; ${only}`,
    ],
    [
      "no p95 of the candidate",
      judgedOf(with3({ p95Seconds: nan })),
      `backend: the p95 of candidate is NaN; ${finite}`,
    ],
    [
      "an infinite p95",
      judgedOf(with3({ p95Seconds: infinite })),
      `backend: the p95 of candidate is Infinity; ${finite}`,
    ],
    ["no p95 of stable", judgedOf(with3({}, { p95Seconds: nan })), `backend: the p95 of stable is NaN; ${finite}`],
    [
      "one window is not a number",
      judgedOf({ ...good, planned: { ...good.planned, candidate: counts(nan, nan, nan) } }),
      `backend: the requests of candidate are NaN; ${only}`,
    ],
  ])("%s", (_, verdict, reason) => {
    expect(verdict).toMatchObject(saying("hold", reason));
  });
});

describe("too few requests hold", () => {
  it.each([
    [
      "of the candidate, until there are enough at this rate",
      judgedOf(beside(counts(100)), 100),
      saying("hold", "backend: 100 requests to candidate since the last step; it takes 500", 400),
    ],
    [
      "of stable, which there is nothing to compare with",
      judgedOf(beside(counts(900), counts(100)), 100),
      saying("hold", "backend: 100 requests to stable since the last step; it takes 500", 400),
    ],
    [
      "for as long as nobody knows, without any",
      judgedOf(beside(counts(0, 0, nan), counts(0, 0, nan)), 100),
      saying("hold", "backend: 0 requests to candidate since the last step; it takes 500"),
    ],
    [
      "where one of them failed: one of twenty says nothing",
      judgedOf(beside(counts(20, 1)), 100),
      saying("hold", "backend: 20 requests to candidate since the last step; it takes 500", 2400),
    ],
    [
      "as do too few seconds",
      judgedOf(beside(counts(900)), 20),
      saying("hold", "the last step was 20 s ago, and is judged after 60 s", 40),
    ],
  ])("%s", (_, verdict, expected) => {
    expect(verdict).toMatchObject(expected);
  });
});

describe("on the way up", () => {
  it("passes with what it counted", () => {
    expect(judgedOf(beside(counts(3000, 3, 0.041), counts(27_000, 20)))).toEqual({
      outcome: "pass",
      reason:
        "backend: 3 of 3,000 requests to the candidate failed (0.1 %), of stable's 20 of 27,000, and 95 of 100 take at most 41 ms",
      numbers: {
        "seconds since the step": 900,
        "age of the newest sample": 5,
        "backend baseline p95 seconds": 0.04,
        "backend candidate requests": 3000,
        "backend candidate errors": 3,
        "backend candidate p95 seconds": 0.041,
        "backend stable requests": 27_000,
        "backend stable errors": 20,
        "backend stable p95 seconds": 0.04,
        "backend candidate requests in 600 s": 3000,
        "backend candidate errors in 600 s": 3,
        "backend candidate p95 seconds in 600 s": 0.041,
        "backend stable requests in 600 s": 27_000,
        "backend stable errors in 600 s": 20,
        "backend stable p95 seconds in 600 s": 0.04,
      },
      waitSeconds: 0,
    });
  });

  it("passes a good release while stable fails: it may be the cure", () => {
    expect(judgedOf(beside(counts(3000, 3), counts(27_000, 8000))).outcome).toBe("pass");
  });

  it.each<[string, Counts, Counts, string]>([
    [
      "goes back over 1 % of a sample (S0-71)",
      counts(500, 10),
      counts(4500, 4),
      "backend: 10 of 500 requests to the candidate failed (2 %), more than 1 %, of stable's 4 of 4,500",
    ],
    [
      "goes back over 200 ms (S0-72)",
      counts(3000, 0, 0.25),
      counts(27_000, 0, 0.05),
      "backend: 5 of 100 requests to the candidate take longer than 250 ms, allowed: 200 ms; with stable than 50 ms",
    ],
    [
      "goes back over 200 ms where stable is a little over it, too",
      counts(3000, 0, 3.5),
      counts(27_000, 0, 0.3),
      "backend: 5 of 100 requests to the candidate take longer than 3500 ms, allowed: 200 ms; with stable than 300 ms",
    ],
    [
      "goes back for 30 % where stable fails by 2 %",
      counts(3000, 900),
      counts(27_000, 540),
      "backend: 900 of 3,000 requests to the candidate failed (30 %), more than 5 %, of stable's 540 of 27,000",
    ],
  ])("%s", (_, candidate, stable, reason) => {
    expect(judgedOf(beside(candidate, stable))).toMatchObject(saying("rollback", reason));
  });

  const innocent = "the release is not to blame for what stable suffers as well";
  it.each<[string, ServiceMeasured, string]>([
    [
      "as many failures of stable: a shared database is down",
      beside(counts(3000, 1500), counts(27_000, 13_500)),
      `backend: 1,500 of 3,000 requests to the candidate failed (50 %), more than 5 %, of stable's 13,500 of 27,000: ${innocent}`,
    ],
    [
      "somewhat fewer failures of stable: chance is not the only thing that two colours differ by",
      beside(counts(9000, 1350), counts(81_000, 8100)),
      `backend: 1,350 of 9,000 requests to the candidate failed (15 %), more than 5 %, of stable's 8,100 of 81,000: ${innocent}`,
    ],
    [
      "as much slowness of stable",
      beside(counts(3000, 0, 0.3), counts(27_000, 0, 0.25)),
      `backend: 5 of 100 requests to the candidate take longer than 300 ms, allowed: 200 ms; with stable than 250 ms: ${innocent}`,
    ],
    [
      "slowness of stable over the limit, and not three times as much of the candidate: the machine is busy",
      beside(counts(3000, 0, 0.319), counts(27_000, 0, 0.207)),
      `backend: 5 of 100 requests to the candidate take longer than 319 ms, allowed: 200 ms; with stable than 207 ms: ${innocent}`,
    ],
    [
      "failures of stable over the limit: where both lack a database, one may hang where the other gives up at once",
      beside(counts(3000, 20, 1.1), counts(27_000, 1400, 0.075)),
      `backend: 5 of 100 requests to the candidate take longer than 1100 ms, allowed: 200 ms; with stable than 75 ms: ${innocent}`,
    ],
    [
      "slowness of stable far over the limit: where both wait for a database, one may hang twice as long as the other",
      beside(counts(3000, 0, 5), counts(27_000, 0, 1.5)),
      `backend: 5 of 100 requests to the candidate take longer than 5000 ms, allowed: 200 ms; with stable than 1500 ms: ${innocent}`,
    ],
    [
      "one burst of failures, which may be chance",
      beside(counts(9000, 95), counts(81_000, 40)),
      "backend: 95 of 9,000 requests to the candidate failed (1.06 %), more than 1 %, of stable's 40 of 81,000: so few may be chance",
    ],
    [
      "failures that started lately, in a window that was long",
      {
        ...beside(counts(60_000, 300), counts(540_000, 60)),
        immediate: { candidate: counts(450, 200), stable: counts(4000, 1) },
      },
      "backend: 200 of 450 requests to the candidate failed (44.44 %), more than 5 %, of stable's 1 of 4,000: it is not yet time to undo it for that",
    ],
    [
      "a candidate within its limits and plainly worse than stable",
      beside(counts(50_000, 400), counts(450_000, 90)),
      "backend: 400 of 50,000 requests to the candidate failed (0.8 %), of stable's 90 of 450,000: at least 2 times as often as stable",
    ],
    [
      "a candidate within its limits and plainly slower than stable",
      everywhere({ candidate: counts(3000, 0, 0.09), stable: counts(27_000, 0, 0.04) }, 0.08),
      "backend: 5 of 100 requests to the candidate take longer than 90 ms, more than 1.5 times the 40 ms of stable",
    ],
  ])("holds at %s", (_, service, reason) => {
    expect(judgedOf(service, 500)).toMatchObject(saying("hold", reason));
  });

  it("does not call 9 ms slower than 4: nobody notices", () => {
    expect(judgedOf(beside(counts(3000, 0, 0.009), counts(27_000, 0, 0.004))).outcome).toBe("pass");
  });

  it("judges every service: one that fails outranks one that waits, and that one a good one", () => {
    const services = { good: beside(counts(3000)), few: beside(counts(10)), bad: beside(counts(3000, 900)) };
    const of = (...names: readonly (keyof typeof services)[]) =>
      judged({
        measured: {
          ...measured(services.good),
          services: Object.fromEntries(names.map((name) => [name, services[name]])),
        },
      }).outcome;
    expect([of("good", "few", "bad"), of("good", "few"), of("good", "good")]).toEqual(["rollback", "hold", "pass"]);
  });
});

describe("a trigger", () => {
  /** Little traffic: 300 requests in ten minutes, so that the canary's limits do not speak. */
  const quiet = (errors: number) => beside(counts(300, errors), counts(2700, 1));
  const planned = (candidate: Counts, stable: Counts): ServiceMeasured => ({
    ...beside(counts(400), counts(3600)),
    planned: { candidate, stable },
  });

  it.each([
    ["more than 5 % for 10 minutes goes back, with less than a sample (S3-70, S4-80)", quiet(60), 600, "rollback"],
    ["more than 5 % for less than that holds", quiet(60), 599, "hold"],
    ["not more than 5 % holds", quiet(15), 600, "hold"],
    ["more than 2 % for 30 minutes goes back (S3-71)", planned(counts(490, 14), counts(4400, 1)), 1800, "rollback"],
    ["more than 2 % for less than that holds", planned(counts(490, 14), counts(4400, 1)), 1799, "hold"],
    [
      "1.5 times the baseline for 30 minutes goes back (S3-71)",
      everywhere({ candidate: counts(3000, 0, 0.15), stable: counts(27_000, 0, 0.05) }, 0.05),
      1800,
      "rollback",
    ],
    [
      "1.5 times the baseline for less than that holds",
      everywhere({ candidate: counts(3000, 0, 0.15), stable: counts(27_000, 0, 0.05) }, 0.05),
      1799,
      "hold",
    ],
    [
      "1.5 times the baseline of both colours holds",
      everywhere({ candidate: counts(3000, 0, 0.15), stable: counts(27_000, 0, 0.14) }, 0.05),
      1800,
      "hold",
    ],
    [
      "no baseline triggers nothing",
      everywhere({ candidate: counts(3000, 0, 0.05), stable: counts(27_000, 0, 0.05) }, nan),
      1800,
      "pass",
    ],
  ])("of %s", (_, service, seconds, outcome) => {
    expect(judgedOf(service, seconds).outcome).toBe(outcome);
  });
});

describe("at 100", () => {
  const top = (candidate: Counts, baseline = 0.05) =>
    everywhere({ candidate, stable: counts(nan, nan, nan) }, baseline);
  const of = (service: ServiceMeasured, ready = bothReady) => judgedOf(service, 1800, { from: 100, ready });

  it.each([
    ["passes by its objectives, with nothing of stable", top(counts(30_000, 20, 0.06)), "pass"],
    ["holds over the objective of errors", top(counts(30_000, 40, 0.06)), "hold"],
    ["holds over the objective of latency", top(counts(30_000, 20, 0.12), 0.11), "hold"],
    ["goes back over 5 %", top(counts(30_000, 1600, 0.06)), "rollback"],
    ["goes back over 1.5 times the baseline", top(counts(30_000, 0, 0.09)), "rollback"],
  ])("%s", (_, service, outcome) => {
    expect(of(service).outcome).toBe(outcome);
  });

  it("says when there is no baseline to compare with", () => {
    expect(of(top(counts(30_000, 20, 0.06), nan)).reason).toBe(
      "backend: 20 of 30,000 requests to the candidate failed (0.07 %), and 95 of 100 take at most 60 ms, and no baseline is stored to compare with",
    );
  });

  it("goes nowhere while stable has no pods: nothing to go back to", () => {
    expect(
      judgedOf(top(counts(30_000, 9000)), 1800, { from: 100, ready: { candidate: true, stable: false } }).outcome,
    ).toBe("hold");
  });
});

/** What others' judges let through, as their users sent it in: a value for each minute. */
describe("recorded data of others", () => {
  const at = (values: readonly number[], q: number) =>
    [...values].sort((a, b) => a - b)[Math.ceil(values.length * q) - 1] ?? nan;
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
  const asErrors = (values: readonly number[]) => counts(values.length * 1000, sum(values));
  const asMilliseconds = (values: readonly number[]) => counts(values.length * 1000, 0, at(values, 0.95) / 1000);
  const control = Array<number>(10).fill(1);
  const seven = [...Array<number>(7).fill(100), 1, 1, 1];

  it.each([
    [
      "7 of 10 minutes a hundred times worse, as errors (spinnaker#6278)",
      asErrors(seven),
      asErrors(control),
      "rollback",
    ],
    ["7 of 10 minutes a hundred times slower (spinnaker#6278)", asMilliseconds(seven), asMilliseconds(control), "hold"],
    [
      "8 of 10 minutes a hundred times slower (spinnaker#6278)",
      asMilliseconds([...Array<number>(8).fill(100), 1, 1]),
      asMilliseconds(control),
      "hold",
    ],
    [
      "3 errors of which stable has none: sparse, and within 0.1 % (kayenta#426)",
      asErrors([0, 1, 2, 1, 0, 0]),
      asErrors([0, 0, 0, 0, 0, 0]),
      "pass",
    ],
    ["the same as stable", asErrors(control), asErrors(control), "pass"],
  ])("%s", (_, candidate, stable, outcome) => {
    expect(judgedOf(beside(candidate, stable), 600).outcome).toBe(outcome);
  });
});
