import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret, unknown } from "../../local/plugins/rpc/properties.ts";
import { rules } from "../../policies/rules.ts";
import { RunningPack, type Sent, urnOf } from "../support/policy-pack.ts";

/** The real pack behind CrossGuard's own server, over the engine's own protocol: what a preview would be told. */

const deployment = (container: Sent["properties"]): Sent => ({
  type: "kubernetes:apps/v1:Deployment",
  name: "web",
  properties: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "production" },
    spec: { template: { spec: { containers: [{ name: "web", ...container }] } } },
  },
});
const privileged = deployment({ securityContext: { privileged: true } });

/** For the pack to start: Pulumi's SDK alone takes seconds on a busy machine. */
const startMs = 60_000;

const exemption = {
  rule: "privileged",
  resource: "Deployment/production/web",
  reason: "it is only a test",
  owner: "nobody",
  expires: "9999-12-31",
};

describe("the pack of a production stack", () => {
  let pack: RunningPack;
  beforeAll(async () => {
    pack = await RunningPack.start({ environment: "production", exemptions: [] });
  }, startMs);
  afterAll(() => pack.end());

  it("has every rule, and two on exemptions", async () => {
    const levels = await pack.levels();
    expect(Object.keys(levels).toSorted()).toEqual(
      [...rules.map(({ id }) => id), "exemption-expired", "exemption-unused"].toSorted(),
    );
  });

  it("fails the preview of a privileged container, and says where it is and what to change", async () => {
    const said = await pack.analyze(privileged);
    expect(said.filter(({ rule }) => rule === "privileged")).toEqual([
      {
        rule: "privileged",
        level: "mandatory",
        message:
          "No container is privileged.\nspec.template.spec.containers[web].securityContext.privileged: found true; wanted false or nothing. Fix: remove privileged",
        urn: urnOf(privileged),
      },
    ]);
  });

  it("says that it cannot decide, and of which resource, where a value is not known yet", async () => {
    const said = await pack.analyze(deployment({ securityContext: { privileged: unknown } }));
    const [own, ...more] = said.filter(({ rule }) => rule === "privileged");
    expect(more).toEqual([]);
    expect(own?.level).toBe("advisory");
    expect(own?.message).toContain("can't run policy 'privileged' from policy pack 'golive-policies@v0.1.0'");
    expect(own?.message).toContain(
      "web: spec.template.spec.containers[0].securityContext.privileged is not known before the update",
    );
  });

  it("judges a resource as it is now, not as it was when it was asked last", async () => {
    const raised = async (value: boolean) =>
      (await pack.analyze(deployment({ securityContext: { privileged: value } }))).some(
        ({ rule }) => rule === "privileged",
      );
    expect([await raised(true), await raised(false), await raised(true)]).toEqual([true, false, true]);
  });

  it("still fails for what is known to be wrong beside it", async () => {
    const beside = deployment({});
    const containers = [
      { name: "first", securityContext: { privileged: unknown } },
      { name: "second", securityContext: { privileged: true } },
    ];
    const sent = { ...beside, properties: { ...beside.properties, spec: { template: { spec: { containers } } } } };
    const levels = (await pack.analyze(sent)).flatMap(({ rule, level }) => (rule === "privileged" ? [level] : []));
    expect(levels).toEqual(["mandatory", "advisory"]);
  });

  it("prints no value of a secret", async () => {
    const said = await pack.analyze(
      deployment({ env: [{ name: "DATABASE_PASSWORD", value: new Secret("correct-horse-battery") }] }),
    );
    expect(said.length).toBeGreaterThan(0);
    expect(JSON.stringify(said)).not.toContain("correct-horse");
  });
});

describe("exemptions of the stack", () => {
  let pack: RunningPack;
  beforeAll(async () => {
    const unused = { ...exemption, resource: "Deployment/production/gone" };
    pack = await RunningPack.start({ environment: "production", exemptions: [exemption, unused] });
  }, startMs);
  afterAll(() => pack.end());

  it("let pass what they name, and nothing else", async () => {
    const other = {
      ...privileged,
      name: "other",
      properties: { ...privileged.properties, metadata: { name: "other" } },
    };
    const raisedBy = async (sent: Sent) => (await pack.analyze(sent)).some(({ rule }) => rule === "privileged");
    expect(await raisedBy(privileged)).toBe(false);
    expect(await raisedBy(other)).toBe(true);
  });

  it("are judged by the stack at hand, and not by the one before", async () => {
    const ends = async (sent: readonly Sent[]) =>
      (await pack.analyzeStack(sent)).filter(({ rule }) => rule === "namespaces-of-the-stack").length;
    const namespace: Sent = {
      type: "kubernetes:core/v1:Namespace",
      name: "production",
      properties: { apiVersion: "v1", kind: "Namespace", metadata: { name: "production" } },
    };
    expect(await ends([privileged])).toBe(1);
    expect(await ends([privileged, namespace])).toBe(0);
    expect(await ends([privileged])).toBe(1);
  });

  it("are a fault when nothing needs them", async () => {
    const said = (await pack.analyzeStack([privileged])).filter(({ rule }) => rule === "exemption-unused");
    expect(said.map(({ level, message }) => [level, message.includes("Deployment/production/gone")])).toEqual([
      ["mandatory", true],
    ]);
  });
});

describe("the pack that was told nothing of its stack", () => {
  it("judges as in production", async () => {
    const pack = await RunningPack.start(undefined);
    const production = Object.fromEntries(rules.map(({ id, levels }) => [id, levels.production]));
    expect(await pack.levels()).toMatchObject(production);
    await pack.end();
  });

  it("does not start when it was told what it does not understand", async () => {
    await expect(RunningPack.start('{"environment":"prod"}')).rejects.toThrow(
      'GOLIVE_POLICY_STACK: got environment "prod"; allowed: local, staging, production',
    );
  });
});

describe("the pack of a local stack", () => {
  it("tells, and stops nobody, where only others could be hurt", async () => {
    const pack = await RunningPack.start({ environment: "local", exemptions: [] });
    const said = (await pack.analyze(privileged)).filter(({ rule }) => rule === "privileged");
    expect(said.map(({ level }) => level)).toEqual(["advisory"]);
    await pack.end();
  });
});
