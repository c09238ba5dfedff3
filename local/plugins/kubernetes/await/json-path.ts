import { isProperties, type Value } from "../../rpc/properties.ts";

type Step =
  | { readonly key: string }
  | { readonly index: number }
  | { readonly all: true }
  | { readonly filter: Filter };

interface Filter {
  readonly path: readonly Step[];
  readonly operator: "==" | "!=" | undefined;
  readonly literal: Value;
}

/** A JSONPath (RFC 9535) without recursion and slices: names, indices, wildcards and filters that compare with a literal. */
export interface JsonPath {
  /** Its values in an object, in order. */
  select(value: Value): readonly Value[];
}

/** Reads the inside of the braces, with or without the leading `$`. */
export function parseJsonPath(text: string): JsonPath {
  const reader = new Reader(text.trim().replace(/^\$/, ""), text);
  const steps = reader.steps();
  reader.end();
  return { select: (value) => walk([value], steps) };
}

function walk(values: readonly Value[], steps: readonly Step[]): readonly Value[] {
  return steps.reduce<readonly Value[]>((found, step) => found.flatMap((value) => take(value, step)), values);
}

function take(value: Value, step: Step): readonly Value[] {
  if ("key" in step) {
    const inner = isProperties(value) ? value[step.key] : undefined;
    return inner === undefined ? [] : [inner];
  }
  if ("index" in step) {
    const inner = Array.isArray(value) ? (value as readonly Value[]).at(step.index) : undefined;
    return inner === undefined ? [] : [inner];
  }
  const inside: readonly Value[] = Array.isArray(value) ? value : isProperties(value) ? Object.values(value) : [];
  return "all" in step ? inside : inside.filter((inner) => matches(inner, step.filter));
}

function matches(value: Value, { path, operator, literal }: Filter): boolean {
  const found = walk([value], path);
  if (operator === undefined) return found.length > 0;
  const equal = found.some((it) => it === literal);
  return operator === "==" ? equal : !equal;
}

class Reader {
  #rest: string;
  readonly #whole: string;

  constructor(rest: string, whole: string) {
    this.#rest = rest;
    this.#whole = whole;
  }

  steps(): readonly Step[] {
    const steps: Step[] = [];
    for (;;) {
      const step = this.#step();
      if (step === undefined) return steps;
      steps.push(step);
    }
  }

  end(): void {
    if (this.#rest.trim() !== "") this.#fail();
  }

  #step(): Step | undefined {
    if (this.#take(/^\.\*/) || this.#take(/^\[\s*\*\s*\]/)) return { all: true };
    const key =
      this.#take(/^\.([A-Za-z_][\w-]*)/)?.[1] ??
      this.#take(/^\[\s*'([^']*)'\s*\]/)?.[1] ??
      this.#take(/^\[\s*"([^"]*)"\s*\]/)?.[1];
    if (key !== undefined) return { key };
    const index = this.#take(/^\[\s*(-?\d+)\s*\]/)?.[1];
    if (index !== undefined) return { index: Number(index) };
    return this.#take(/^\[\s*\?\s*/) ? { filter: this.#filter() } : undefined;
  }

  #filter(): Filter {
    const braced = this.#take(/^\(\s*/) !== null;
    if (!this.#take(/^@/)) this.#fail();
    const path = this.steps();
    const operator = this.#take(/^\s*(==|!=)\s*/)?.[1] as Filter["operator"];
    const literal = operator === undefined ? null : this.#literal();
    if (!this.#take(braced ? /^\s*\)\s*\]/ : /^\s*\]/)) this.#fail();
    return { path, operator, literal };
  }

  #literal(): Value {
    const quoted = this.#take(/^'([^']*)'/) ?? this.#take(/^"([^"]*)"/);
    if (quoted !== null) return quoted[1] ?? "";
    const plain = this.#take(/^(true|false|null|-?\d+(?:\.\d+)?)/)?.[1];
    return plain === undefined ? this.#fail() : (JSON.parse(plain) as Value);
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const found = pattern.exec(this.#rest);
    if (found !== null) this.#rest = this.#rest.slice(found[0].length);
    return found;
  }

  #fail(): never {
    throw new Error(
      `the JSONPath ${this.#whole} is not understood at "${this.#rest}": names, ['names'], [0], [*] and [?(@.name=='value')] are`,
    );
  }
}
