import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bodyOf, judgedAt, markOf } from "../../cli/delivery/publish.ts";
import type { Preview } from "../../cli/preview/model.ts";
import { readPreview } from "../../cli/preview/read.ts";
import { markdownOf, textOf } from "../../cli/preview/render.ts";
import { announce, announceStep, refusal } from "../../rollout/announce.ts";
import { type Allowed, decide } from "../../rollout/decide.ts";
import { assessment } from "../support/assessment.ts";
import { settingsWith } from "../support/config.ts";
import { usual } from "../support/decision.ts";
import { expectBlock } from "../support/generated-block.ts";
import { evenRules, observed, routeObject, told } from "../support/live.ts";
import { configured, judged, says, step } from "../support/preview-events.ts";

/** What the program itself says of a run, word for word, as the engine hands it on. */
const said: EngineEvent[] = [];

beforeEach(() => {
  said.length = 0;
  vi.spyOn(pulumi.log, "info").mockImplementation(async (text) => void said.push(says("info", text)));
  vi.spyOn(pulumi.log, "warn").mockImplementation(async (text) => void said.push(says("warning", text)));
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** As @pulumi/random makes them. */
const password = "q9ZxT4mVb81LkPwR7sYd2Aeh";
/** As the engine hands on what it knows for a secret: the same before and after. */
const blinded = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "[secret]" };

/** A rotation in the same run. What nobody marked stands in clear, each time in a place that another of our rules has to find. */
const rotation = [
  step("update", "kubernetes:core/v1:Secret", "postgres-login-taskflow-exporter", {
    component: ["golive:database:Database", "taskflow-database"],
    from: { stringData: { password: blinded, login: "summer-2026" } },
    to: { stringData: { password: blinded, login: "winter-2026" } },
    diffs: ["stringData"],
  }),
  step("update", "kubernetes:apps/v1:Deployment", "postgres-exporter", {
    component: ["golive:monitoring:Monitoring", "monitoring"],
    from: exporterWith("summer-2026", `${password}x`, "exporter"),
    to: exporterWith("winter-2026", password, blinded),
  }),
];

function exporterWith(short: string, long: string, user: unknown) {
  const env = [
    { name: "DATA_SOURCE_PASS", value: short },
    { name: "DATA_SOURCE_NAME", value: `postgresql://exporter:${short}@postgres/taskflow` },
    { name: "DATA_SOURCE_NOTE", value: long },
    { name: "DATA_SOURCE_USER", value: user },
  ];
  return { spec: { template: { spec: { containers: [{ name: "exporter", env }] } } } };
}

const commit = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

const live = observed({ told: told({ candidateTraffic: 10 }), hoursAgo: 0.5 });
const nothing = { pending: [], held: [], problems: [] };
const asked = { levelOf: () => undefined, today: "2026-11-22", strict: false };
const previewOf = (events: readonly EngineEvent[], exitCode: number) =>
  readPreview({ stack: "production", events, exitCode, printed: "" }, asked);
/** As it stands on the pull request. */
const commentOf = (preview: Preview) => bodyOf(markOf("preview", "production"), judgedAt(markdownOf(preview), commit));

/** A screen shows about so many lines of a comment. */
const screen = 45;

async function expectGolden(name: string, text: string): Promise<void> {
  const path = join(import.meta.dirname, "..", "golden", `preview-${name}.golden.md`);
  if (process.env.GOLIVE_ACCEPT === "1") await writeFile(path, text);
  expect(text).toBe(await readFile(path, "utf8"));
  expect(text.split("\n").length).toBeLessThan(screen);
  await expectBlock("docs/reviewing-a-preview.md", `preview-${name}`, `\`\`\`markdown\n${text}\`\`\``);
}

const route = (percent: number) => {
  const { metadata, spec } = routeObject({
    told: told({ candidateTraffic: percent }),
    rules: evenRules({ blue: 100 - percent, green: percent }),
  });
  return { metadata: { name: "taskflow", annotations: metadata?.annotations }, spec };
};

describe("the comment of a pull request (GOLIVE_ACCEPT=1 writes it) is read without scrolling", () => {
  it("for a step from 10 to 50", async () => {
    const decision = decide(live, { ...usual, candidateTraffic: 50 });
    if (!decision.allowed) throw new Error(decision.reason);
    announce(live, decision, nothing);
    announceStep(assessment(), decision satisfies Allowed, settingsWith());
    const changed = step("update", "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "taskflow", {
      component: ["golive:traffic:Traffic", "taskflow-traffic"],
      from: route(10),
      to: route(50),
    });
    const preview = previewOf([configured({ "golive:x": password }), ...said, changed, ...rotation, judged()], 0);
    const comment = commentOf(preview);
    for (const text of [comment, textOf(preview), JSON.stringify(preview)])
      for (const secret of [password, "summer", "winter", "ciphertext"]) expect(text).not.toContain(secret);
    for (const path of ["stringData.login", "env[DATA_SOURCE_PASS].value", "env[DATA_SOURCE_NAME].value"])
      expect(comment).toContain(`${path}\` changes (secret)`);
    await expectGolden("10-to-50", comment);
  });

  it("for a step from 10 to 100, which skips a rung", async () => {
    const decision = decide(live, { ...usual, candidateTraffic: 100 });
    if (decision.allowed) throw new Error("a skipped rung is allowed");
    const preview = previewOf([configured({}), says("error", refusal(decision).message)], 255);
    await expectGolden("10-to-100", commentOf(preview));
  });
});
