import type { Level } from "../../policies/rule.ts";

/** What a reviewer must know of one run before it happens. Everything in it is in a stable order, and no value in it is a secret. */
export interface Preview {
  readonly stack: string;
  /** `clear`: nothing to object to. `refused`: it would fail, or must not run. `unknown`: it could not be evaluated. */
  readonly verdict: Verdict;
  /** Why it is not clear, a sentence each; empty when it is. */
  readonly objections: readonly string[];
  /** The program's own refusal. */
  readonly refusal: { readonly reason: string; readonly next: string } | undefined;
  /** Undefined: this run moves no traffic. */
  readonly traffic: Traffic | undefined;
  readonly migrations: Migrations;
  /** What the program warns of. */
  readonly warnings: readonly string[];
  /** Resources that this run makes, changes, replaces or deletes. */
  readonly changes: readonly Change[];
  /** Undefined: no policy pack was asked. */
  readonly policies: Policies | undefined;
  /** One hash of all that would be done: the same for the same run, whoever asks. Undefined: it was not found out. */
  readonly plan: string | undefined;
}

export const verdicts = ["clear", "refused", "unknown"] as const;
export type Verdict = (typeof verdicts)[number];

export interface Traffic {
  /** `up`, `down`, `create`, `return`, `roles`, …: a move of rollout/decision.ts. */
  readonly move: string;
  /** Percent that the candidate has now; undefined when there is no route yet. */
  readonly from: number | undefined;
  readonly to: number;
  readonly candidate: string;
  /** Percent of each colour after the run. */
  readonly weights: Readonly<Record<string, number>>;
  /** The hash that the ledger's record of this run will have. */
  readonly ledgerPlan: string | undefined;
  /** What the step was judged by, what it exposes, how long a valid sample takes; one line each. */
  readonly measured: readonly string[];
}

export interface Migrations {
  readonly pending: readonly { readonly name: string; readonly phase: string }[];
  /** Contract migrations that wait, and for what. */
  readonly held: string | undefined;
}

export type ChangeKind = "replace" | "delete" | "create" | "change" | "adopt";

export interface Change {
  readonly change: ChangeKind;
  readonly urn: string;
  /** Pulumi's type token. */
  readonly type: string;
  /** `Deployment`. */
  readonly kind: string;
  readonly name: string;
  /** The component that declares it: `Colour taskflow-green`. */
  readonly component: string;
  readonly fields: readonly FieldChange[];
  /** It is taken out of the stack, but left where it is. */
  readonly kept: boolean;
  /** Why this must not happen; undefined when it may. */
  readonly objection: string | undefined;
}

export interface FieldChange {
  /** `spec.template.spec.containers[backend].image`. */
  readonly path: string;
  /** As it is shown; undefined when it was not there. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface Policies {
  /** Name and version of each pack. */
  readonly packs: readonly string[];
  readonly violations: readonly PolicyFinding[];
  readonly undecidable: readonly PolicyFinding[];
  readonly exemptions: readonly Exemption[];
}

export interface PolicyFinding {
  readonly rule: string;
  readonly level: Exclude<Level, "disabled">;
  /** `Deployment taskflow-backend-green`. */
  readonly resource: string;
  readonly message: string;
}

/** An exemption of the stack's config that ends soon. */
export interface Exemption {
  readonly rule: string;
  readonly resource: string;
  readonly owner: string;
  /** `YYYY-MM-DD`. */
  readonly expires: string;
}
