import type { Problem } from "./config.ts";
import type { Server } from "./server.ts";

/** One property of a resource, as the real plugin's schema has it. */
export interface Property {
  readonly kind: "text" | "flag" | "number" | "set";
  readonly required?: true;
  /** What it is when it is not given. */
  readonly default?: string | number | boolean;
  /** The server decides when it is not given. */
  readonly computed?: true;
  /** A change makes a new resource in place of the old one. */
  readonly replaces?: true;
  readonly secret?: true;
  /** Only in the state: the stand-in understands the default alone. */
  readonly fixed?: true;
  readonly allowed?: readonly string[];
  readonly least?: number;
}

/** Properties in clear, all of them known. */
export type Plain = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export function text(from: Plain, name: string): string {
  const value = from[name];
  return typeof value === "string" ? value : "";
}

export function list(from: Plain, name: string): readonly string[] {
  const value = from[name];
  return Array.isArray(value) ? value : [];
}

export const flag = (from: Plain, name: string) => from[name] === true;
export const number = (from: Plain, name: string) => Number(from[name] ?? -1);

/** A type of resource: what it is made of, and the statements that make, read, change and remove it. */
export interface ResourceType {
  readonly type: string;
  /** What a person calls one of them, with its name. */
  title(of: Plain): string;
  readonly properties: Readonly<Record<string, Property>>;
  /** Properties that do not go together. */
  problems?(inputs: Plain): readonly Problem[];
  idOf(state: Plain): string;
  /** What an id says of a resource that is imported; a type without this cannot be imported. */
  fromId?(id: string): Plain;
  /** Whether a replacement removes the old one first: always, never, or when both have the same name. As with the real plugin. */
  readonly removesFirst: "always" | "never" | "same name";
  create(server: Server, wanted: Plain): Promise<void>;
  /** Without it every change replaces. */
  update?(server: Server, before: Plain, wanted: Plain): Promise<void>;
  /** What is there of a resource that is known; undefined when it is gone. */
  read(server: Server, known: Plain): Promise<Plain | undefined>;
  remove(server: Server, state: Plain): Promise<void>;
}
