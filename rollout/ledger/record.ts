import { createHash } from "node:crypto";
import type { Colour } from "../../applications/application.ts";
import { moves } from "../decision.ts";
import type { Asked } from "../gate/measured.ts";
import type { Verdict } from "../gate/verdict.ts";
import type { Weights } from "../told.ts";

/** What a run does to the route, and what else people, the driver and the guard have to answer for later. */
export const kinds = [
  ...moves,
  "trip",
  "abort",
  "clear",
  "override",
  "pause",
  "resume",
  "preflight",
  "start",
  "finish",
  // A run that was held just before it wrote: `to` is what it asked for.
  "refused",
  // The route was moved and nobody wrote that down: a killed run, or a hand edit. The next writer does.
  "found",
] as const;
export type Kind = (typeof kinds)[number];

/** What whoever moves traffic says of it. The store adds the number, the time and the chain. */
export interface RecordDraft {
  readonly kind: Kind;
  readonly application: string;
  /** Of whoever knows one: the guard and `abort --now` do not. */
  readonly stack?: string | undefined;
  readonly candidate: Colour;
  /** Live percent of each colour before; absent: there was no route, or nobody knows. */
  readonly from?: Weights | undefined;
  readonly to: Weights;
  /** Release id of each colour. */
  readonly releases: Readonly<Partial<Record<Colour, string | undefined>>>;
  /** A person, or `guard`. */
  readonly who: string;
  /** Commit of the checkout that ran, with what is to be known of it (`… dirty`). */
  readonly commit?: string | undefined;
  /** Hash of what a run was about to tell the route (`planHash`). */
  readonly plan?: string | undefined;
  /** One sentence. */
  readonly reason: string;
  readonly verdict?: Verdict | undefined;
  /** Every expression that was asked, resolved, with its answer. */
  readonly queries?: readonly Asked[] | undefined;
}

export interface LedgerRecord extends RecordDraft {
  /** From 1, without a gap. */
  readonly number: number;
  /** When it was written, by the cluster's clock: ISO 8601 in UTC. */
  readonly at: string;
  /** Hash of the record before; empty for the first. */
  readonly before: string;
  /** SHA-256, in hex, of the canonical JSON of all that stands above. */
  readonly hash: string;
}

/** The weights that stood after a record was written. */
export const standsAfter = ({ kind, from, to }: Pick<RecordDraft, "kind" | "from" | "to">): Weights =>
  kind === "refused" ? (from ?? to) : to;

/** Makes the record that comes after another one. */
export function recordAfter(
  before: { readonly number: number; readonly hash: string },
  draft: RecordDraft,
  at: Date,
): LedgerRecord {
  const unsigned = { ...draft, number: before.number + 1, at: at.toISOString(), before: before.hash };
  return { ...unsigned, hash: hashOf(unsigned) };
}

/** The hash that a record must carry: over all of it but the hash. */
export function hashOf(record: object): string {
  const signed = Object.entries(record).filter(([key]) => key !== "hash");
  return sha256(canonicalJson(Object.fromEntries(signed)));
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** How a number that JSON does not know is written: in Prometheus' words. */
export const infinities: Readonly<Record<string, number>> = { NaN: Number.NaN, "+Inf": Infinity, "-Inf": -Infinity };

/**
 * One text for one value, whoever writes it: keys sorted, no blanks, nothing undefined. Numbers that are not finite are
 * texts: JSON would make `null` of what a server answered, and a gate that met NaN must be shown to have met NaN.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`);
    return `{${pairs.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) return JSON.stringify(wordOf(value));
  // What JSON cannot say (a function, an undefined in a list) is a mistake of ours, not of the data.
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a record holds data only, not a ${typeof value}`);
  return text;
}

const wordOf = (value: number) => Object.entries(infinities).find(([, each]) => Object.is(each, value))?.[0] ?? "NaN";
