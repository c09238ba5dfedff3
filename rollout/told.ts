import { type Colour, colours } from "../applications/application.ts";

/** Percent of the public requests each colour gets; sums to 100. */
export type Weights = Readonly<Record<Colour, number>>;

/** What the route was last told, kept on the route itself, so that no state file has to be trusted. */
export interface Told {
  readonly candidate: Colour;
  /** Integer percent 0..100. */
  readonly candidateTraffic: number;
  readonly ladder: string;
  /** Path of each rule: a rule that somebody removed is missed. */
  readonly paths: readonly string[];
  /** Release id of each colour, or undefined where it has none. */
  readonly releases: Readonly<Record<Colour, string | undefined>>;
  /** The release of each colour that was last proven at 100 %: the one a rollback may return to in one step. */
  readonly proven: Readonly<Record<Colour, string | undefined>>;
  readonly retired: readonly Colour[];
  /** The `inPlace` that was spent last, as `colour release reason`. */
  readonly inPlace: string | undefined;
  /** The `override` that was spent last, as `percent reason`. */
  readonly override: string | undefined;
  /** The last hand edit that a run overwrote or accepted: makes that run's route differ, so that it is written. */
  readonly corrected: string | undefined;
  /** The trip that was acknowledged last. */
  readonly acknowledged: string | undefined;
  /** Releases (ids) that need what a contract migration took away: they can never serve again. */
  readonly outdated: readonly string[];
}

/** Written by a guard or by break-glass, never by a run: one colour must get no traffic. */
export interface Trip {
  /** The annotation's whole text. Another trip needs another text (a time in it, say): one that was acknowledged counts no more. */
  readonly id: string;
  readonly colour: Colour;
  readonly reason: string;
  /** Who tripped it, and when by the cluster's clock; undefined where the text does not say. */
  readonly by: string | undefined;
  readonly at: Date | undefined;
}

const prefix = "golive/";
export const tripAnnotation = `${prefix}trip`;
/** Releases that were tripped, by id: written by a trip, never by a run, and taken away by `golive rollout clear`. */
export const tombstonesAnnotation = `${prefix}tombstones`;

/** The weights that a candidate traffic means. */
export function weightsOf(candidate: Colour, candidateTraffic: number): Weights {
  const stableTraffic = 100 - candidateTraffic;
  return candidate === "blue"
    ? { blue: candidateTraffic, green: stableTraffic }
    : { blue: stableTraffic, green: candidateTraffic };
}

/** The annotations of a route that was told this. */
export function annotationsOf(told: Told): Readonly<Record<string, string>> {
  const optional = {
    "release-blue": told.releases.blue,
    "release-green": told.releases.green,
    "proven-blue": told.proven.blue,
    "proven-green": told.proven.green,
    retired: told.retired.length > 0 ? told.retired.join(",") : undefined,
    "in-place": told.inPlace,
    override: told.override,
    corrected: told.corrected,
    acknowledged: told.acknowledged,
    outdated: told.outdated.length > 0 ? told.outdated.join(" ") : undefined,
  };
  const all = {
    candidate: told.candidate,
    "candidate-traffic": String(told.candidateTraffic),
    ladder: told.ladder,
    paths: told.paths.join(" "),
    ...optional,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[prefix + key, value]])),
  );
}

/** What a route's annotations tell, or undefined when they are not all there: such a route is not ours. */
export function toldOf(annotations: Readonly<Record<string, string>>): Told | undefined {
  const get = (key: string) => annotations[prefix + key];
  const candidate = colours.find((colour) => colour === get("candidate"));
  const traffic = Number(get("candidate-traffic"));
  const ladder = get("ladder");
  if (!candidate || ladder === undefined || !Number.isInteger(traffic) || traffic < 0 || traffic > 100)
    return undefined;
  const retired = (get("retired") ?? "").split(",");
  return {
    candidate,
    candidateTraffic: traffic,
    ladder,
    paths: wordsOf(get("paths")),
    releases: { blue: get("release-blue"), green: get("release-green") },
    proven: { blue: get("proven-blue"), green: get("proven-green") },
    retired: colours.filter((colour) => retired.includes(colour)),
    inPlace: get("in-place"),
    override: get("override"),
    corrected: get("corrected"),
    acknowledged: get("acknowledged"),
    outdated: wordsOf(get("outdated")),
  };
}

const wordsOf = (text: string | undefined) => (text ?? "").split(" ").filter((word) => word !== "");

/** The trip on a route, or undefined. A text that names no colour is taken to mean the candidate. */
export function tripOf(annotations: Readonly<Record<string, string>>, candidate: Colour): Trip | undefined {
  const id = annotations[tripAnnotation];
  if (id === undefined) return undefined;
  const colour = colours.find((each) => id.startsWith(`${each}:`));
  const said = colour ? id.slice(colour.length + 1).trim() : id;
  const [, reason = said, by, time] = /^(.*) \(([^()]+), (\d{4}-\d\d-\d\dT[\d:.]+Z)\)$/s.exec(said) ?? [];
  return { id, colour: colour ?? candidate, reason, by, at: time === undefined ? undefined : new Date(time) };
}

/** The text that `tripOf` reads: `green: error ratio 12 % (guard, 2026-11-21T12:00:00Z)`. */
export function tripText({ colour, reason, by, at }: { colour: Colour; reason: string; by: string; at: Date }): string {
  const line = (text: string) => text.replace(/\s+/g, " ").trim();
  // The time makes every trip another one; parentheses of a name would read as those around it.
  return `${colour}: ${line(reason)} (${line(by.replace(/[()]/g, " "))}, ${at.toISOString().replace(".000", "")})`;
}

/** The releases on a route that were tripped and not cleared since, by id. */
export const tombstonesOf = (annotations: Readonly<Record<string, string>>): readonly string[] => [
  ...new Set(wordsOf(annotations[tombstonesAnnotation])),
];

/** How a trip is told in a refusal: `green was tripped by guard at 2026-11-21T12:00:00Z (error ratio 12 %)`. */
export function tripSentence({ colour, reason, by, at }: Trip): string {
  const who = by === undefined || at === undefined ? "" : ` by ${by} at ${at.toISOString().replace(".000", "")}`;
  return `${colour} was tripped${who} (${reason})`;
}
