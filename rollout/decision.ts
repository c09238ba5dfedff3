import type { Colour } from "../applications/application.ts";
import type { Ladder } from "./ladder.ts";
import type { Override } from "./rules/override.ts";
import type { Migration } from "./schema/migrations.ts";
import type { Told, Weights } from "./told.ts";

/** What a run asks for, as plain values. */
export interface Desired {
  readonly candidate: Colour;
  /** 0 or a rung of `ladder`. */
  readonly candidateTraffic: number;
  readonly ladder: Ladder;
  /** Public path prefixes of the application: one rule of the route each. */
  readonly paths: readonly string[];
  /** Release id of each colour: it covers images, config and all that its pods see, except secrets and replicas. */
  readonly releases: Readonly<Record<Colour, string | undefined>>;
  readonly retired: Readonly<Record<Colour, boolean>>;
  /** Pods of each service that answers requests, when its colour is not retired. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly inPlace: { readonly colour: Colour; readonly reason: string } | undefined;
  /** The one step up that neither soak nor gate holds. */
  readonly override: Override | undefined;
  /** Seconds of a soak that pass in one second: 1, or more to rehearse. Undefined: no soak is kept (the gate is off). */
  readonly soakSpeed: number | undefined;
  /** Hours that a colour keeps its pods after the route was last written. */
  readonly retireAfterHours: number;
  readonly migrations: {
    /** What this run applies, as far as the record of the schema is right. */
    readonly pending: readonly Migration[];
    /** The last contract migration that config asks for. */
    readonly contract: string | undefined;
  };
}

/** What kind of run this is. */
export const moves = ["create", "stay", "up", "down", "return", "roles", "retire", "ladder", "contract"] as const;
export type Move = (typeof moves)[number];

export type Decision = Allowed | Refused;

export interface Allowed {
  readonly allowed: true;
  readonly move: Move;
  readonly weights: Weights;
  /** What the route is told now. */
  readonly told: Told;
  /** The colour that gets more traffic: its pods must be ready at the moment of writing. */
  readonly mustBeReady: Colour | undefined;
  /** Why neither soak nor gate hold this step up, in somebody's words. Default: they do. */
  readonly override?: string;
  /** Why a step up cannot wait: what keeps the other colour from serving. Default: it can. */
  readonly rescue?: string;
  /**
   * Why a step up may skip rungs: what keeps the other colour from serving. Config grants it by `override`, and the candidate
   * must pass its smoke tests just before. Default: it skips none.
   */
  readonly leap?: string;
  /** What a reviewer should know about this run. */
  readonly notes: readonly string[];
}

export interface Refused {
  readonly allowed: false;
  readonly reason: string;
  /** What to do next. */
  readonly next: string;
}

export const refuse = (reason: string, next: string): Refused => ({ allowed: false, reason, next });

/** A percentage as it is shown: one digit at most. */
export const percent = (value: number): string => `${Math.round(value * 10) / 10}`;
