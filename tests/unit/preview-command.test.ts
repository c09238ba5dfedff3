import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import language from "@pulumi/pulumi/proto/language_pb.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../cli/failure.ts";
import { checkText, policy } from "../../cli/policy.ts";
import { policyCircumstances } from "../../cli/policy-circumstances.ts";
import type { Policies, Preview } from "../../cli/preview/model.ts";
import { preview } from "../../cli/preview.ts";
import { Session } from "../../cli/session.ts";
import { environmentOf, refusalOf } from "../../local/plugins/language/policy-pack.ts";

const engine = vi.hoisted(() => ({ runPreview: vi.fn() }));
vi.mock("../../cli/preview/run.ts", () => engine);

const session = new Session({ note: () => {}, stage: () => Promise.reject(new Error("nothing may be started")) });

describe("golive preview and golive policy", () => {
  it.each([
    [preview, ["--output", "html"], 'golive preview: --output: got "html"; allowed: text, markdown, json.'],
    [preview, ["production"], 'golive preview: got "production"; it takes options only.'],
    [
      preview,
      ["--no-policies", "--policy-pack", "x"],
      "golive preview: got --policy-pack and --no-policies; allowed: one of them.",
    ],
    [policy, [], "golive policy: got nothing; allowed: check."],
    [policy, ["chekc"], 'golive policy: got "chekc"; allowed: check.'],
  ])("refuse what they do not know before anything is started", async (command, args, message) => {
    await expect(command.run(args, session)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: 2,
    });
  });
});

describe("what kept a run from being evaluated ends with 2, never with the 1 of a refusal:", () => {
  it.each([
    [preview, ["--stack", "staging", "--no-policies"]],
    [policy, ["check", "--stack", "staging"]],
  ])("a Failure that would be 1 elsewhere", async (command, args) => {
    engine.runPreview.mockRejectedValue(new Failure("stack staging could not be made:\nno space"));
    await expect(command.run(args, session)).rejects.toMatchObject({
      message: "stack staging could not be made:\nno space",
      exitCode: 2,
    });
  });

  it.each([
    [preview, []],
    [policy, ["check"]],
  ])("a fault of our own, which keeps its stack", async (command, args) => {
    engine.runPreview.mockRejectedValue(new TypeError("x is not a function"));
    await expect(command.run(args, session)).rejects.toMatchObject({
      message: expect.stringMatching(/^TypeError: x is not a function\n {4}at /),
      exitCode: 2,
    });
  });
});

describe("golive policy check", () => {
  const read = (policies: Policies, changes: Partial<Preview>): Preview => ({
    ...{ stack: "production", verdict: "clear", objections: [], refusal: undefined, traffic: undefined, warnings: [] },
    ...{ migrations: { pending: [], held: undefined }, changes: [], plan: undefined, policies },
    ...changes,
  });
  const none = { packs: ["golive-policies 0.1.0"], violations: [], undecidable: [], exemptions: [] };
  const finding = { level: "mandatory", resource: "Deployment x", message: "why" } as const;

  it("says all three verdicts, and what follows", () => {
    expect(checkText(read(none, {}))).toBe(
      "0 violations, 0 undecidable; stack production keeps the mandatory policies",
    );
    const policies = { ...none, violations: [{ ...finding, rule: "a" }], undecidable: [{ ...finding, rule: "b" }] };
    const refused = read(policies, { verdict: "refused", objections: ["1 violation of mandatory policies: a"] });
    expect(checkText(refused)).toBe(
      "violation (mandatory) a, Deployment x: why\n" +
        "undecidable (mandatory) b, Deployment x: why\n" +
        "1 violation, 1 undecidable; stack production: 1 violation of mandatory policies: a",
    );
  });
});

describe("the policy pack is told of the stack", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-policy-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("its environment and its exemptions, or it would judge staging by production's levels", async () => {
    const file = "config:\n  golive:environment: staging\n  golive:exemptions:\n    - { rule: a, owner: ops }\n";
    await writeFile(join(directory, "Pulumi.staging.yaml"), file);
    expect(await policyCircumstances(directory, "staging")).toEqual({
      GOLIVE_POLICY_STACK: '{"environment":"staging","exemptions":[{"rule":"a","owner":"ops"}]}',
    });
  });

  it("nothing of a stack without a file: production's levels hold", async () => {
    expect(await policyCircumstances(directory, "staging")).toEqual({});
  });
});

describe("the stand-in for the nodejs plugin", () => {
  it("runs policy packs, and refuses any other plugin by its kind", () => {
    const request = new language.RunPluginRequest();
    request.setKind("analyzer");
    expect(refusalOf(request)).toBe(undefined);
    request.setKind("resource");
    request.setName("aws");
    expect(refusalOf(request)).toBe(
      "the stand-in for the nodejs plugin runs programs and policy packs only, not a plugin of kind resource (aws)",
    );
  });

  it("gives a pack the environment that the engine names, the last value of a name", () => {
    expect(environmentOf(["A=1", "B=x=y", "A=2"])).toEqual({ A: "2", B: "x=y" });
  });
});
