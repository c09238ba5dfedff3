import { type Colour, colours } from "../../applications/application.ts";
import type { LedgerEntry } from "../../rollout/ledger/pages.ts";
import { type Kind, kinds, standsAfter } from "../../rollout/ledger/record.ts";
import { parseJson } from "../../rollout/parse-json.ts";
import type { Weights } from "../../rollout/told.ts";

/** What a dashboard shows of one record of the ledger. */
export interface Recorded {
  readonly number: number;
  /** When it was written, by the cluster's clock, in seconds since 1970. */
  readonly at: number;
  readonly kind: Kind;
  readonly candidate: Colour;
  /** Percent that the candidate had after it. */
  readonly percent: number;
}

/** What is read of a record; any of it may be missing, or something else, in one that somebody broke. */
interface Raw {
  readonly kind?: unknown;
  readonly at?: unknown;
  readonly candidate?: unknown;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Undefined: it is no record. Without zod (rollout/ledger/parse.ts), which would make the bundle ten times as large. */
export function recordedOf({ key, text }: Pick<LedgerEntry, "key" | "text">): Recorded | undefined {
  const raw: Raw = parseJson(text) ?? {};
  const { from, to } = raw;
  const kind = kinds.find((each) => each === raw.kind);
  const candidate = colours.find((each) => each === raw.candidate);
  const at = Date.parse(String(raw.at)) / 1000;
  if (kind === undefined || candidate === undefined || Number.isNaN(at)) return undefined;
  if (!isWeights(to) || (from !== undefined && !isWeights(from))) return undefined;
  return { number: Number(key), at, kind, candidate, percent: standsAfter({ kind, from, to })[candidate] };
}

const isWeights = (value: unknown): value is Weights =>
  typeof value === "object" && value !== null && colours.every((colour) => Number.isFinite(Reflect.get(value, colour)));
