/** What a request was for: `read` and `write` are of tasks. All but an asset, which follows its page, take part in the share. */
export const kinds = ["page", "asset", "api", "read", "write"] as const;
export type Kind = (typeof kinds)[number];

/** `none`: no answer, or one that did not come from the sample service (a proxy's own error page). */
export const colours = ["none", "blue", "green"] as const;
export type AnsweredColour = (typeof colours)[number];

export interface LoadRecord {
  /** Milliseconds since the load began, when the request was sent. */
  readonly at: number;
  /** Milliseconds until the whole answer was there, or until it failed. */
  readonly ms: number;
  readonly ok: boolean;
  readonly colour: AnsweredColour;
  readonly kind: Kind;
}

/** A record as numbers, in the order of a batch from the worker: at, ms, and flags. */
export const fieldsPerRecord = 3;

const kindShift = 1;
const kindMask = 0b111;
const colourShift = 4;
const colourMask = 0b11;

/** ok, kind and colour in one number. */
export function flagsOf(record: Omit<LoadRecord, "at" | "ms">): number {
  const { ok, kind, colour } = record;
  return (ok ? 1 : 0) | (kinds.indexOf(kind) << kindShift) | (colours.indexOf(colour) << colourShift);
}

function recordOf(at: number, ms: number, flags: number): LoadRecord {
  const kind = kinds[(flags >> kindShift) & kindMask];
  const colour = colours[(flags >> colourShift) & colourMask];
  if (kind === undefined || colour === undefined) throw new RangeError(`no such record flags: ${flags}`);
  return { at, ms, ok: (flags & 1) === 1, kind, colour };
}

/** Every request of a load, 13 bytes each: 1.2 million of them (2,000 a second for ten minutes) are 16 MB. */
export class Records {
  #at = new Float64Array(1024);
  #ms = new Float32Array(1024);
  #flags = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(at: number, ms: number, flags: number): void {
    if (this.#length === this.#at.length) this.#grow();
    this.#at[this.#length] = at;
    this.#ms[this.#length] = ms;
    this.#flags[this.#length] = flags;
    this.#length += 1;
  }

  /** The requests that were sent from `from` until before `to`, in the order in which they were sent. */
  between(from: number, to: number): LoadRecord[] {
    const found: LoadRecord[] = [];
    for (let index = 0; index < this.#length; index += 1) {
      const at = this.#at[index] ?? Number.NaN;
      if (at >= from && at < to) found.push(recordOf(at, this.#ms[index] ?? Number.NaN, this.#flags[index] ?? 0));
    }
    return found.sort((one, other) => one.at - other.at);
  }

  #grow(): void {
    const size = this.#at.length * 2;
    const at = new Float64Array(size);
    const ms = new Float32Array(size);
    const flags = new Uint8Array(size);
    at.set(this.#at);
    ms.set(this.#ms);
    flags.set(this.#flags);
    this.#at = at;
    this.#ms = ms;
    this.#flags = flags;
  }
}
