/** Thrown when a value is read that a preview does not know yet. What asked for it cannot be decided. */
export class NotKnownYet extends Error {
  readonly urn: string;
  readonly path: string;

  constructor(urn: string, path: string, cause?: unknown) {
    super(`${path} is not known before the update`, { cause });
    this.name = "NotKnownYet";
    this.urn = urn;
    this.path = path;
  }
}

/** What the engine writes in the place of a value that it does not know, one for each kind of value (Pulumi's own constants). */
const sentinels: ReadonlySet<unknown> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/**
 * A plain copy of a resource's inputs in which reading an unknown value throws. That it is there can be asked: `"name" in object` and
 * `Object.keys` do not throw. A value that reads as undefined stands for one that is not there, as in the engine's own wire format. A
 * field that is null is left out, as the API server leaves it out: a rule that looks whether it is there must not find it.
 */
export function readable(urn: string, inputs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return copyOf(inputs, { urn, path: "" }) as Readonly<Record<string, unknown>>;
}

/** Whether a field of a readable object is there, and reading it would throw. */
export const isUnknown = (object: unknown, key: string): boolean =>
  typeof object === "object" && object !== null && Object.getOwnPropertyDescriptor(object, key)?.get !== undefined;

/** The part of a value that is known: what would throw is left out, or undefined in a list. */
export function knownPart(value: unknown): unknown {
  const part = (holder: object, key: string): unknown =>
    isUnknown(holder, key) ? undefined : knownPart(Reflect.get(holder, key));
  if (Array.isArray(value)) return Array.from(value.keys(), (index) => part(value, `${index}`));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, part(value, key)]));
}

interface Place {
  readonly urn: string;
  readonly path: string;
}

function copyOf(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) {
    return filled([], value, place, (index) => `[${index}]`);
  }
  if (typeof value !== "object" || value === null) return value;
  return filled({}, value, place, (key) => (place.path === "" ? key : `.${key}`));
}

function filled(copy: object, value: object, { urn, path }: Place, step: (key: string) => string): object {
  for (const key of Object.keys(value)) {
    const inner = { urn, path: `${path}${step(key)}` };
    const read = reading(value, key, inner);
    if (read === null && !Array.isArray(value)) continue;
    Object.defineProperty(
      copy,
      key,
      read instanceof NotKnownYet
        ? {
            enumerable: true,
            configurable: true,
            get(): never {
              throw read;
            },
          }
        : { enumerable: true, configurable: true, writable: true, value: read },
    );
  }
  return copy;
}

/** A value's copy, or the error that reading the copy throws. CrossGuard's own view of the inputs throws where we only look. */
function reading(value: object, key: string, place: Place): unknown {
  let found: unknown;
  try {
    found = Reflect.get(value, key);
  } catch (error) {
    if (error instanceof Error && "unknownTypeSentinel" in error) return new NotKnownYet(place.urn, place.path, error);
    throw error;
  }
  return sentinels.has(found) ? new NotKnownYet(place.urn, place.path) : copyOf(found, place);
}

/**
 * Judges each thing in turn. One that cannot be judged yet does not hide what is wrong with the others: what was not known is thrown
 * when all were asked.
 */
export function* inTurn<T, F>(things: Iterable<T>, judge: (thing: T) => Iterable<F>): Generator<F, void> {
  let unknown: NotKnownYet | undefined;
  for (const thing of things) {
    try {
      yield* judge(thing);
    } catch (error) {
      if (!(error instanceof NotKnownYet)) throw error;
      unknown ??= error;
    }
  }
  if (unknown !== undefined) throw unknown;
}
