import { describe, expect, it } from "vitest";
import { complete, completeProduction, problemsOf, settingsWith } from "../support/config.ts";
import { stackSettings } from "../support/platform.ts";

const staging = { ...complete, environment: "staging" };
const prometheus = { namespace: "monitoring", service: "prometheus-operated:9090" };

describe("what holds a step up", () => {
  it("is measured where users are, and nothing on the throw-away stack, which a demo walks by hand", () => {
    const modes = (["local", "staging", "production"] as const).map((stack) => stackSettings(stack).gate.mode);
    expect(modes).toEqual(["off", "on", "on"]);
  });

  it("asks the stack's own Prometheus where it has one", () => {
    expect(settingsWith({ gate: { mode: "on" } }).gate).toEqual({
      mode: "on",
      prometheus: { namespace: "monitoring", service: "prometheus:9090" },
    });
    expect(settingsWith({ monitoring: { namespace: "watching" } }).gate.prometheus?.namespace).toBe("watching");
  });

  it("asks the one that is named where somebody else watches", () => {
    const gate = { mode: "on", prometheus };
    expect(settingsWith({ gate, monitoring: { kind: "existing" } }).gate).toEqual(gate);
  });

  it("is nobody where nothing is measured", () => {
    expect(settingsWith({ monitoring: { kind: "none" } }).gate).toEqual({ mode: "off", prometheus: undefined });
  });
});

describe("a gate is refused before anything is touched, and says why:", () => {
  it.each([
    [
      "on, and nothing is measured",
      { ...complete, gate: { mode: "on" }, monitoring: { kind: "none" } },
      "golive:gate.mode  got on, but with monitoring.kind none nothing is measured; allowed: another kind of monitoring, or gate.mode off",
    ],
    [
      "on by default, and nothing is measured",
      { ...staging, monitoring: { kind: "none" } },
      "golive:gate.mode  is on in staging, but with monitoring.kind none nothing is measured; allowed: another kind of monitoring, or gate.mode off",
    ],
    [
      "off in production",
      { ...completeProduction, gate: { mode: "off" } },
      "golive:gate.mode  got off; allowed in production: on. One step that cannot wait has golive:override",
    ],
    [
      "nothing measured in production",
      { ...completeProduction, monitoring: { kind: "none" } },
      "golive:gate.mode  is on in production, but with monitoring.kind none nothing is measured; allowed: another kind of monitoring",
    ],
    [
      "a Prometheus that somebody else runs, and nobody says where",
      { ...staging, monitoring: { kind: "existing" } },
      "golive:gate.prometheus  got nothing; with monitoring.kind existing it is not known who to ask; allowed: {namespace, service}, such as {namespace: monitoring, service: prometheus-operated:9090}",
    ],
    [
      "another Prometheus than the stack's own",
      { ...staging, gate: { prometheus } },
      "golive:gate.prometheus  has no effect with monitoring.kind stack: its own Prometheus is asked; allowed: with kind existing",
    ],
    [
      "a mode that there is not",
      { ...complete, gate: { mode: "maybe" } },
      'golive:gate.mode  got "maybe"; allowed: on, off',
    ],
    [
      "a Service without a port",
      { ...staging, monitoring: { kind: "existing" }, gate: { prometheus: { ...prometheus, service: "prometheus" } } },
      'golive:gate.prometheus.service  got "prometheus"; allowed: a Service and its port, such as prometheus-operated:9090',
    ],
    [
      "an unknown key",
      { ...complete, gate: { prometeus: prometheus } },
      "golive:gate.prometeus  unknown key; did you mean prometheus?",
    ],
  ])("%s", (_, config, message) => {
    expect(problemsOf(config)).toContain(message);
  });
});

describe("an override", () => {
  it("names one step, one release and a reason", () => {
    const override = { percent: 50, release: "2.0.0", reason: "the fix for what blue breaks" };
    expect(settingsWith({ override }).override).toEqual(override);
    expect(settingsWith().override).toBe(undefined);
  });

  it.each([
    [
      "without a reason",
      { percent: 50, release: "2.0.0", reason: "" },
      'golive:override.reason  got ""; allowed: why this step cannot wait for soak and gate',
    ],
    [
      "over several lines",
      { percent: 50, release: "2.0.0", reason: "so\nthere" },
      'golive:override.reason  got "so\\nthere"; allowed: one line that says why this step cannot wait for soak and gate',
    ],
    [
      "without the release that it is for",
      { percent: 50, reason: "soon" },
      "golive:override.release  got nothing; allowed: the version of the candidate's release that it is for",
    ],
    [
      "of no rung",
      { percent: 30, release: "2.0.0", reason: "soon" },
      "golive:override.percent  got 30; allowed on this ladder: 10, 50, 100",
    ],
    [
      "down",
      { percent: 0, release: "2.0.0", reason: "soon" },
      "golive:override.percent  got 0; allowed: an integer percent, 1 to 100",
    ],
  ])("is refused %s", (_, override, message) => {
    expect(problemsOf({ ...complete, override })).toContain(message);
  });
});
