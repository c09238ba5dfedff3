import { describe, expect, it } from "vitest";
import { dayOf, type Exemption, excuseBy, exemptionRules, exemptionsOf } from "../../policies/exemptions.ts";
import { imagesArePinned } from "../../policies/images/images-are-pinned.ts";
import { judgeAll } from "../../policies/judge.ts";
import { rules } from "../../policies/rules.ts";
import { readable } from "../../policies/unknown.ts";
import { complete, problemsOf, stackConfig } from "../support/config.ts";
import { objections, workload } from "../support/policy-cases.ts";

const today = "2026-11-21";
const exemption: Exemption = {
  rule: "images-are-pinned",
  resource: "Deployment/production/web",
  path: undefined,
  reason: "its maker publishes no versions",
  owner: "devops",
  expires: "2027-05-21",
};
const bad = workload("web", { container: { image: "web" } });
const judged = judgeAll([bad], [imagesArePinned], { environment: "production" });
const left = (changes: Partial<Exemption>, on = today) => excuseBy([{ ...exemption, ...changes }], on)(judged).length;
const about = (changes: Partial<Exemption>, on = today) =>
  exemptionRules([{ ...exemption, ...changes }], rules, on).flatMap((rule) => objections(rule, [bad]));

describe("an exemption", () => {
  it("lets one rule pass on one resource, until its last day has ended", () => {
    expect(left({})).toBe(0);
    expect(left({ resource: "production/web" }), "by Pulumi's name").toBe(0);
    expect(left({}, "2027-05-21"), "on its last day").toBe(0);
    expect(left({}, "2027-05-22"), "the day after").toBe(1);
    expect(left({ rule: "read-only-root" }), "of another rule").toBe(1);
    expect(left({ resource: "Deployment/production/other" }), "of another resource").toBe(1);
  });

  it("with a path lets only what is there pass", () => {
    expect(left({ path: "spec.template.spec.containers[web].image" })).toBe(0);
    expect(left({ path: "spec.template.spec.initContainers" })).toBe(1);
  });

  it("covers what could not be decided yet, since it would cover whatever is found", () => {
    const unknown = {
      ...bad,
      object: readable(bad.urn, { ...bad.object, spec: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }),
    };
    const undecided = judgeAll([unknown], [imagesArePinned], { environment: "production" });
    expect(undecided.map(({ verdict }) => verdict)).toEqual(["undecidable"]);
    expect(excuseBy([{ ...exemption, resource: "production/web" }], today)(undecided)).toEqual([]);
  });

  it("is a violation itself when its day is over, and says whom to ask", () => {
    expect(about({})).toEqual([]);
    expect(about({ expires: "2026-11-20" })).toMatchInlineSnapshot(`
      [
        "Deployment/production/web golive:exemptions[images-are-pinned on Deployment/production/web]: found an end on 2026-11-20; wanted a day that is not over, or no exemption. Fix: repair the resource, or ask devops for another date and its reason",
      ]
    `);
  });

  it("is a violation itself when it exempts nothing: it would let the next fault pass", () => {
    expect(about({ rule: "budgets-let-go" })).toMatchInlineSnapshot(`
      [
        "Deployment/production/web golive:exemptions[budgets-let-go on Deployment/production/web]: found nothing that the rule objects to there; wanted an exemption that exempts something. Fix: remove it from the stack's config",
      ]
    `);
    expect(about({ rule: "no-such-rule" })).toMatchInlineSnapshot(`
      [
        "Deployment/production/web golive:exemptions[no-such-rule on Deployment/production/web]: found no rule of that id; wanted an exemption that exempts something. Fix: remove it from the stack's config",
      ]
    `);
    expect(about({ resource: "Deployment/production/gone" })).toHaveLength(1);
    expect(about({ path: "spec.replicas" })).toHaveLength(1);
  });

  it("of a stack file is read as it stands, and a broken one stops the pack", () => {
    expect(exemptionsOf(stackConfig("production").exemptions).length).toBeGreaterThan(0);
    expect(exemptionsOf(undefined)).toEqual([]);
    expect(() => exemptionsOf([{ rule: "a", resource: "b", reason: "c", owner: "d" }])).toThrow(
      "golive:exemptions[0].expires is missing",
    );
    expect(() => exemptionsOf("all")).toThrow("golive:exemptions is no list");
  });

  it("ends by the calendar of UTC", () => expect(dayOf(new Date("2026-11-21T23:59:59Z"))).toBe(today));
});

describe("golive:exemptions", () => {
  const { path: _, ...written } = exemption;

  it("asks for a reason, an owner and a real day, all at once", () => {
    expect(problemsOf({ ...complete, exemptions: [written] })).toEqual([]);
    const { owner: _, ...ownerless } = written;
    expect(
      problemsOf({ ...complete, exemptions: [{ ...ownerless, reason: "", expires: "2027-02-31", until: "x" }] }),
    ).toMatchInlineSnapshot(`
      [
        "golive:exemptions.0.reason   got ""; allowed: why this must be so",
        "golive:exemptions.0.reason   got ""; allowed: one line that says why this must be so",
        "golive:exemptions.0.owner    got nothing; allowed: who answers for it",
        "golive:exemptions.0.expires  got "2027-02-31"; allowed: a day in quotes, such as "2027-03-31"",
        "golive:exemptions.0.until    unknown key; allowed: rule, resource, path, reason, owner, expires",
      ]
    `);
  });
});
