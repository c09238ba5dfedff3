import type { Environment } from "../applications/application.ts";

/** How much a rule weighs: `mandatory` fails the preview, `advisory` tells, `disabled` does not look. */
export type Level = "advisory" | "mandatory" | "disabled";

export type Severity = "low" | "medium" | "high" | "critical";

/**
 * One thing that a rule objects to. `found` names what is there in words, never a value that may be a secret: it is printed in
 * previews and pull requests.
 */
export interface Finding {
  /** Where in the object: `spec.template.spec.containers[web].securityContext.privileged`. */
  readonly path: string;
  readonly found: string;
  readonly wanted: string;
  /** What to change, in one line. */
  readonly fix: string;
}

/** One declared resource, as a rule sees it. */
export interface Subject {
  readonly urn: string;
  /** Pulumi's type token: `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  /** Pulumi's name of it. */
  readonly name: string;
  /**
   * Its inputs. For a Kubernetes type: the object. Reading a value that is not known yet (a preview) throws, and the rule's verdict on
   * this subject is `undecidable`; a rule neither catches that nor asks for it.
   */
  readonly object: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
}

/** What a rule knows beside the resources. */
export interface Surroundings {
  readonly environment: Environment;
  /**
   * The minor version of Kubernetes 1 whose Pod Security Standards the Pod rules judge by: 34 for v1.34. Default: the newest that they
   * know.
   */
  readonly podSecurityMinor?: number;
}

/** What every rule says of itself: docs/policies.md is made of it. */
export interface RuleText {
  /** Named for what it verifies: `release-images-by-digest`. Pod Security rules carry the check id of Kubernetes. */
  readonly id: string;
  /** One sentence: what must be so. */
  readonly summary: string;
  /** What happens to whom when it is not. */
  readonly why: string;
  readonly severity: Severity;
  /** Requirement ids, or the check ids of others that it answers. */
  readonly sources: readonly string[];
  readonly levels: Readonly<Record<Environment, Level>>;
  /** A violation and its fix, as YAML. */
  readonly example: { readonly bad: string; readonly good: string };
}

/**
 * A rule on one resource at a time. It may be a generator: what it found before it met an unknown value stays a violation, where a list
 * would be lost (`inTurn` of unknown.ts asks every container before it gives up).
 */
export interface ResourceRule extends RuleText {
  judge(subject: Subject, surroundings: Surroundings): Iterable<Finding>;
}

/** A rule on all resources of the stack together. Each finding belongs to one of them. */
export interface StackRule extends RuleText {
  judgeStack(
    subjects: readonly Subject[],
    surroundings: Surroundings,
  ): Iterable<{ readonly subject: Subject; readonly finding: Finding }>;
}

export type Rule = ResourceRule | StackRule;
