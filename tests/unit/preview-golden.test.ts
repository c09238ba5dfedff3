import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readPreview } from "../../cli/preview/read.ts";
import { markdownOf } from "../../cli/preview/render.ts";
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

const live = observed({ told: told({ candidateTraffic: 10 }), hoursAgo: 0.5 });
const nothing = { pending: [], held: [], problems: [] };
const asked = { levelOf: () => undefined, today: "2026-11-22", strict: false };
const commentOf = (events: readonly EngineEvent[], exitCode: number) =>
  markdownOf(readPreview({ stack: "production", events, exitCode, printed: "" }, asked));

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
    const secret = step("same", "kubernetes:core/v1:Secret", "taskflow-green", { to: { stringData: { password } } });
    const comment = commentOf([configured({ "golive:x": password }), ...said, secret, changed, judged()], 0);
    expect(comment).not.toContain(password);
    await expectGolden("10-to-50", comment);
  });

  it("for a step from 10 to 100, which skips a rung", async () => {
    const decision = decide(live, { ...usual, candidateTraffic: 100 });
    if (decision.allowed) throw new Error("a skipped rung is allowed");
    await expectGolden("10-to-100", commentOf([configured({}), says("error", refusal(decision).message)], 255));
  });
});
