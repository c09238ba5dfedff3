import { describe, expect, it } from "vitest";
import { excuseBy } from "../../policies/exemptions.ts";
import { imagesArePinned } from "../../policies/images/images-are-pinned.ts";
import { judgeAll } from "../../policies/judge.ts";
import type { Rule, Subject } from "../../policies/rule.ts";
import { noCredentialsInPods } from "../../policies/secrets/no-credentials-in-pods.ts";
import { budgetForSeveral } from "../../policies/workloads/budget-for-several.ts";
import { workload } from "../support/policy-cases.ts";

/** What an exemption must not let pass beside what it was written for. */
const password = "hunter2hunter2";
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const pod = (container: object) => [workload("web", { container: { ...container } })];
const env = (...variables: object[]) => pod({ env: variables });
describe("an exemption", () => {
  const exempt = (rule: Rule, resource: string, path?: string) =>
    excuseBy([{ rule: rule.id, resource, path, reason: "r", owner: "o", expires: "2027-01-01" }], "2026-11-22");
  const judged = (rule: Rule, subjects: readonly Subject[]) =>
    judgeAll(subjects, [rule], { environment: "production" });

  it("ends where the name that it says ends", () => {
    const found = judged(noCredentialsInPods, env({ name: "DB_PASSWORD", value: password }));
    const at = (path: string) => exempt(noCredentialsInPods, "Deployment/production/web", path)(found).length;
    expect(at("spec.template.spec.containers[web].env")).toBe(0);
    expect(at("spec.template.spec.containers[web].env[DB_PASSWORD]")).toBe(0);
    expect(at("spec.template.spec.containers[web].env[DB_PASS")).toBe(1);
    expect(at("spec.temp")).toBe(1);
  });

  it("of one resource does not cover that a rule on the whole stack never came to the others", () => {
    const one = workload("one", { spec: { replicas: unknown } });
    const other = workload("other", { spec: { replicas: 3 } });
    const undecided = judged(budgetForSeveral, [one, other]);
    expect(undecided.map(({ verdict }) => verdict)).toEqual(["undecidable"]);
    expect(exempt(budgetForSeveral, "Deployment/production/one")(undecided)).toEqual(undecided);
  });

  it("of one place does not cover that a rule never came to the others", () => {
    const undecided = judged(imagesArePinned, pod({ image: unknown }));
    const place = "spec.template.spec.containers[web].image";
    expect(exempt(imagesArePinned, "Deployment/production/web", place)(undecided)).toEqual(undecided);
    expect(exempt(imagesArePinned, "Deployment/production/web")(undecided)).toEqual([]);
  });
});
