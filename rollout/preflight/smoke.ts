import { randomBytes } from "node:crypto";
import type { Application, Colour, SmokeTest } from "../../applications/application.ts";
import { parseJson } from "../parse-json.ts";

export interface SmokeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface SmokeAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks a service of one colour, past the public route.
 * @throws Error that says why there was no answer. An answer of any status is none.
 */
export type AskColour = (service: string, request: SmokeRequest, signal: AbortSignal) => Promise<SmokeAnswer>;

/** How one test ended. `not run`: a value that it needs was not there, or the time for all of them was over. */
export interface SmokeResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "not run";
  /** `POST /api/auth/login of backend`, with the names of values, not the values. */
  readonly asked: string;
  readonly expected: string;
  readonly got: string;
  readonly milliseconds: number;
}

export interface SmokeReport {
  readonly colour: Colour;
  readonly version: string;
  /** Every test passed, and there is one at least. */
  readonly passed: boolean;
  readonly milliseconds: number;
  readonly tests: readonly SmokeResult[];
}

export interface SmokeSubject {
  readonly application: Pick<Application, "name" | "smoke">;
  readonly colour: Colour;
  /** Version of the release that should answer. */
  readonly version: string;
}

/** Milliseconds for one request, and for all of them. */
export interface SmokePatience {
  readonly eachMs: number;
  readonly allMs: number;
}

const usual: SmokePatience = { eachMs: 5_000, allMs: 60_000 };

/** Every value that one run knows by now. */
type Values = ReadonlyMap<string, string>;

/** Which tests did not pass, by name. An application without any has proven nothing, and that is one. */
export const smokeFailures = ({ tests }: Pick<SmokeReport, "tests">): readonly string[] =>
  tests.length === 0
    ? ["there are no smoke tests"]
    : tests.filter(({ outcome }) => outcome !== "passed").map(({ name }) => name);

/**
 * Runs the smoke tests of an application against one colour, one after the other and each of them once: an answer that is
 * right only the second time is a failure that a user would meet. One that fails does not stop those that need nothing of it.
 */
export async function smokeTest(
  ask: AskColour,
  { application, colour, version }: SmokeSubject,
  { eachMs, allMs }: SmokePatience = usual,
): Promise<SmokeReport> {
  const values = new Map(Object.entries({ colour, version, run: randomText(6), password: randomText(18) }));
  const started = performance.now();
  const since = (moment: number) => Math.round(performance.now() - moment);
  const tests: SmokeResult[] = [];
  for (const test of application.smoke ?? []) {
    const begun = performance.now();
    const left = allMs - since(started);
    const ended =
      left <= 0
        ? ({ outcome: "not run", got: `no time was left: all together may take ${allMs / 1000} s` } as const)
        : await runOne(ask, test, values, Math.min(eachMs, left));
    const asked = `${test.method ?? "GET"} ${test.path} of ${test.service}`;
    const shown = { name: test.name, asked, expected: expectedOf(test, values) };
    tests.push({ ...shown, ...ended, got: masked(ended.got, values), milliseconds: since(begun) });
  }
  const passed = tests.length > 0 && tests.every(({ outcome }) => outcome === "passed");
  return { colour, version, passed, milliseconds: since(started), tests };
}

const randomText = (bytes: number) => randomBytes(bytes).toString("hex");

type Ended = Pick<SmokeResult, "outcome" | "got">;

async function runOne(ask: AskColour, test: SmokeTest, values: Map<string, string>, ms: number): Promise<Ended> {
  const missing = missingIn([test.path, test.headers, test.body, test.expect], values);
  if (missing.length > 0)
    return { outcome: "not run", got: `no value for ${missing.join(", ")}: a test before it failed` };
  const { method = "GET", service, path, headers = {}, body } = test;
  const request: SmokeRequest = {
    method,
    path: filled(path, values),
    headers: {
      ...filledAll(headers, values),
      "user-agent": "golive-smoke",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(filledAll(body, values)),
  };
  const signal = AbortSignal.timeout(ms);
  try {
    return judge(test, await orGone(ask(service, request, signal), signal), values);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { outcome: "failed", got: signal.aborted ? `no answer within ${ms / 1000} s` : `no answer: ${why}` };
  }
}

/** Whoever asks may not look at the signal: the time is bounded all the same. */
async function orGone<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  return await Promise.race([work, gone]);
}

/** Holds an answer against what is expected, and keeps what later tests need of it. */
function judge({ expect, keep = {} }: SmokeTest, { status, body }: SmokeAnswer, values: Map<string, string>): Ended {
  const failed = (got: string): Ended => ({ outcome: "failed", got });
  if (status !== expect.status) {
    // What a server says of its own failure is the first thing that a person wants to know; a success may hold a token.
    return failed(status >= 400 && body.trim() !== "" ? `${status}: ${brief(body)}` : String(status));
  }
  const json = parseJson(body);
  for (const [path, wanted] of Object.entries(filledAll(expect.fields ?? {}, values))) {
    const found = textAt(json, path);
    if (found !== wanted)
      return failed(`${status}, ${found === undefined ? `no ${path}` : `${path} ${JSON.stringify(found)}`}`);
  }
  for (const text of expect.contains ?? []) {
    const wanted = filled(text, values);
    if (!body.includes(wanted)) return failed(`${status}, without ${wanted}`);
  }
  for (const [name, where] of Object.entries(keep)) {
    const found = typeof where === "string" ? textAt(json, where) : where.exec(body)?.[1];
    if (found === undefined) return failed(`${status}, without ${where}, which later tests need as {${name}}`);
    values.set(name, found);
  }
  return { outcome: "passed", got: String(status) };
}

function expectedOf({ expect }: SmokeTest, values: Values): string {
  const fields = Object.entries(expect.fields ?? {}).map(
    ([path, text]) => `${path} ${JSON.stringify(filled(text, values))}`,
  );
  return [String(expect.status), ...fields, ...(expect.contains ?? []).map((text) => filled(text, values))].join(", ");
}

const placeholder = /\{(\w+)\}/g;

/** A text with its values; the name of one that is not known stays. */
const filled = (text: string, values: Values) =>
  text.replaceAll(placeholder, (all, name: string) => values.get(name) ?? all);

const filledAll = (texts: Readonly<Record<string, string>>, values: Values) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, filled(text, values)]));

/** Names of values that stand in the texts of a test and are not known. */
function missingIn(part: unknown, values: Values): readonly string[] {
  if (typeof part === "string") {
    const names = [...part.matchAll(placeholder)].map(([, name = ""]) => name);
    return [...new Set(names)].filter((name) => !values.has(name));
  }
  if (typeof part !== "object" || part === null) return [];
  return [...new Set(Object.values(part).flatMap((each) => missingIn(each, values)))];
}

/** What is at a path such as `tasks.0.title`, as text; undefined: nothing, or no text, number or truth value. */
function textAt(json: unknown, path: string): string | undefined {
  let value = json;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

const brief = (text: string) => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
};

/** A report is printed and kept: what a server gives back of a password or a token is not. */
function masked(text: string, values: Values): string {
  const open = ["colour", "version", "run"];
  const hidden = [...values].filter(([name, value]) => !open.includes(name) && value.length >= 16);
  return hidden.reduce((shown, [name, value]) => shown.replaceAll(value, `{${name}}`), text);
}
