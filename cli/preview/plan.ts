import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { couldBeCredential, namesCredential } from "../../policies/secrets/credential.ts";
import { canonicalJson, sha256 } from "../../rollout/ledger/record.ts";
import { changesOf } from "./changes.ts";
import type { Change, Preview } from "./model.ts";
import { hidden, isPrivate, isSecret, masked } from "./shown.ts";

/**
 * One hash of what a run does: of the whole inputs of each resource that it touches, before and after, not of what a comment has
 * room for. No secret is in it, marked as one or not: whoever knows the rest could find a short one by trying. What the run was
 * measured by is not in it either: that changes by the minute.
 */
export function planOf(
  events: readonly EngineEvent[],
  { traffic, migrations }: Pick<Preview, "traffic" | "migrations">,
): string {
  const moved = traffic && { move: traffic.move, from: traffic.from ?? null, to: traffic.to, weights: traffic.weights };
  const done = events.flatMap((event) => {
    const { resourcePreEvent: step } = event;
    if (step === undefined) return [];
    return changesOf([event]).map((change) => canonicalJson(doneTo(change, step.metadata)));
  });
  const pending = migrations.pending.map(({ name }) => name);
  return sha256(canonicalJson({ traffic: moved ?? null, pending, done: done.sort() }));
}

function doneTo({ change, urn, type, kind, kept, fields }: Change, { old, new: next }: StepEventMetadata) {
  // How this machine reaches a cluster or a database is no part of what is done there.
  const isProvider = type.startsWith("pulumi:providers:");
  const inputsOf = (state: typeof old) => (isProvider || !state ? null : hashable(kind, state.inputs, []));
  return {
    ...{ change, urn, kept, before: inputsOf(old), after: inputsOf(next) },
    // Of what the inputs do not tell: that a secret changes, or what somebody changed by hand.
    fields: fields.map(({ path, from = null, to = null }) => ({ path, from, to })),
  };
}

/** A value as it may stand in a hash that everybody sees. `steps` are the keys, and the names of things in lists, down to it. */
function hashable(kind: string, value: unknown, steps: readonly string[]): unknown {
  if (isSecret(value)) return hidden;
  if (Array.isArray(value)) {
    // Words that belong together: a password may stand after its flag.
    if (value.every(isLeaf)) return isPrivate(kind, steps) ? hidden : [value.length, withoutSecrets(wordsOf(value))];
    return value.map((item) => hashable(kind, item, [...steps, ...nameOf(item)]));
  }
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, hashable(kind, inner, [...steps, key])]),
    );
  if (isPrivate(kind, steps)) return hidden;
  return typeof value === "string" ? withoutSecrets(value) : value;
}

const isLeaf = (item: unknown) => typeof item !== "object" || item === null || isSecret(item);

/** One text of all words, with a separator that stands in none. */
const wordsOf = (items: readonly unknown[]) =>
  items
    .map((item) => (isSecret(item) ? hidden : typeof item === "string" ? item : JSON.stringify(item)))
    .join("\u2028");

function nameOf(item: unknown): readonly string[] {
  const name: unknown = typeof item === "object" && item !== null ? Reflect.get(item, "name") : undefined;
  return typeof name === "string" ? [name] : [];
}

/** A name of that sort and what it is set to, in a command line, settings, a document or SQL: `--token x`, `"apiKey": "x"`. */
const setting =
  /\b([\w.-]{0,60}(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|key|credential|authorization|auth)s?)(["']?\s*(?:[=:]>?\s*|\s))("[^"]*"|'[^']*'|(?!--)[^\s;&|"'(){},]+)/gi;

/** A text, all of it, but for each value that may be a secret. */
const withoutSecrets = (text: string): string =>
  masked(text).replace(setting, (whole: string, name: string, between: string, value: string) =>
    namesCredential(name) && couldBeCredential(value.replace(/^["']|["']$/g, ""))
      ? `${name}${between}${hidden}`
      : whole,
  );
