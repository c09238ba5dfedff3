import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gateway } from "../../local/gateway.ts";
import { type Load, startLoad } from "../../local/load/load.ts";
import { answersAs, liveWeights, namespaceExists, until } from "../support/live-cluster.ts";
import { goldenUrns, LiveStack, textOf } from "../support/stack.ts";

const hostname = "taskflow.localhost";
/** Counted requests that a share is read from: enough for a bound of 3 points at three standard deviations. */
const enough = 2000;

describe("TaskFlow goes live", () => {
  let stack: LiveStack;

  beforeAll(async () => {
    stack = await LiveStack.open("local");
  });
  afterAll(async () => {
    await stack.destroy();
    await stack.close();
  });

  it("from nothing, with a preview that does what the up then does", async () => {
    const preview = await stack.preview();
    expect(textOf(preview)).toContain("create: candidateTraffic starts at 0 (green); blue 100 %, green 0 %");
    expect(preview.exitCode).toBe(0);
    expect(await namespaceExists("local")).toBe(false);
    await stack.succeedUp();
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
  });

  it("and a second preview shows no change", async () => {
    const preview = await stack.preview("--expect-no-changes");
    expect(textOf(preview)).toContain(`${(await goldenUrns("local")).length} unchanged`);
    expect(preview.exitCode).toBe(0);
  });

  it("reaches each colour alone on the internal listener, whatever its weight", async () => {
    await until("green inside", () => answersAs(gateway.internalPort, `green.${hostname}`, "green"));
    await until("blue inside", () => answersAs(gateway.internalPort, `blue.${hostname}`, "blue"));
    expect(await answersAs(gateway.publicPort, `green.${hostname}`, "green")).toBe(false);
  });

  it("keeps every generated password out of the state's clear text", async () => {
    const state = await stack.exported();
    const shown = (await stack.run(["stack", "export", "--show-secrets"])).stdout;
    const secrets = generatedPasswords(shown);
    expect(secrets.length).toBe(11);
    for (const secret of secrets) expect(state.includes(secret)).toBe(false);
    // Base64 of a URL with a password in it would not be found by its text.
    const values = kubernetesSecrets(state);
    // Four Secrets, each with its inputs and its outputs.
    expect(values.length).toBeGreaterThanOrEqual(8);
    for (const value of values)
      expect(value).toEqual({ [secretMark]: expect.any(String), ciphertext: expect.any(String) });
  });

  it("loses no request on any rung up and down, and gives each rung its share", { timeout: 300_000 }, async () => {
    const load = await startLoad({
      origin: { host: gateway.host, port: gateway.publicPort },
      hostname,
      requestsPerSecond: 250,
      seconds: 240,
    });
    try {
      for (const percent of [10, 50, 100, 50, 10, 0, 10, 0]) {
        await stack.step(percent);
        expect(await liveWeights()).toEqual([`/api: ${100 - percent}/${percent}`, `/: ${100 - percent}/${percent}`]);
        const share = await measuredShare(load);
        expect(Math.abs(share - percent), `share at ${percent} %: ${share}`).toBeLessThanOrEqual(3);
      }
    } finally {
      const all = await load.stop();
      expect(all.failures).toEqual([]);
      expect(all.failed).toBe(0);
      expect(all.requests).toBeGreaterThan(8 * enough);
      expect(all.written).toBeGreaterThan(100);
      expect(all.lost).toBe(0);
    }
  });

  it("switches roles at 100 without moving traffic, and returns to the proven release in one step", async () => {
    for (const percent of [10, 50, 100]) await stack.step(percent);
    await stack.set({ candidate: "blue", candidateTraffic: 0 });
    await stack.succeedUp();
    expect(await liveWeights()).toEqual(["/api: 0/100", "/: 0/100"]);
    const back = await stack.step(100);
    expect(textOf(back)).toContain("return: candidateTraffic 0 -> 100 (blue); blue 100 %, green 0 %");
    expect(await liveWeights()).toEqual(["/api: 100/0", "/: 100/0"]);
  });
});

/** Percent that green answered, once the share had a second to settle. */
async function measuredShare(load: Load): Promise<number> {
  // The gateway learns of new weights a moment after the API server: what it sent before belongs to the rung before.
  const from = load.now() + 1000;
  for (;;) {
    const sample = await load.sample(from, Math.max(load.now(), from + 1000));
    if (sample.counted.blue + sample.counted.green >= enough) return sample.share.green;
  }
}

/** How the engine marks a secret in its state. */
const secretMark = "4dabf18193072939515e22adb298388d";

/** What every Secret of an exported state holds, as asked for and as it became. */
function kubernetesSecrets(state: string): readonly unknown[] {
  const { deployment }: { deployment: { resources: readonly SecretState[] } } = JSON.parse(state);
  return deployment.resources
    .filter(({ type }) => type === "kubernetes:core/v1:Secret")
    .flatMap(({ inputs, outputs }) => [inputs, outputs])
    .flatMap((side) => [side?.data, side?.stringData])
    .filter((value) => value !== undefined);
}

interface SecretFields {
  readonly data?: unknown;
  readonly stringData?: unknown;
}

interface SecretState {
  readonly type: string;
  readonly inputs?: SecretFields;
  readonly outputs?: SecretFields;
}

/** Every generated password of an exported state with its secrets shown. */
function generatedPasswords(state: string): readonly string[] {
  const { deployment }: { deployment: { resources: readonly { type: string; outputs?: { result?: unknown } }[] } } =
    JSON.parse(state);
  return deployment.resources
    .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
    .map(({ outputs }) => shownSecret(outputs?.result));
}

function shownSecret(value: unknown): string {
  const text = typeof value === "object" && value !== null ? Reflect.get(value, "plaintext") : undefined;
  if (typeof text !== "string") throw new Error("a generated password is not a secret of the state");
  const password: unknown = JSON.parse(text);
  if (typeof password !== "string") throw new Error("a generated password is not text");
  return password;
}
