import { type Colour, otherColour } from "../../applications/application.ts";
import type { LiveRoute } from "../../rollout/observed.ts";

/** What the guard watches: a release on its way up. */
export interface Watched {
  readonly candidate: Colour;
  readonly stable: Colour;
  /** Largest percent that any rule gives it, live: a hand edit moves users, too. */
  readonly percent: number;
  readonly release: string | undefined;
  /** Any change of it begins a new watch: what was counted before says nothing of what is there now. */
  readonly id: string;
}

/**
 * Undefined: the guard is not armed. It is while the candidate has traffic, until the roles switch; then it is the stable
 * colour, and nothing takes traffic off that.
 */
export function watchedOf({ told, exposure }: LiveRoute): Watched | undefined {
  if (told === undefined) return undefined;
  const { candidate, releases } = told;
  const percent = exposure[candidate];
  if (percent === 0) return undefined;
  const release = releases[candidate];
  const id = `${candidate} ${percent} ${release}`;
  return { candidate, stable: otherColour(candidate), percent, release, id };
}
