import type { Stack } from "../platform.ts";

export type Judge = "checkov" | "kube-score";

/** One thing that a peer objects to in what a stack declares. */
export interface PeerFinding {
  readonly judge: Judge;
  /** The peer's own id of the check: `CKV_K8S_11`, `pod-probes`. */
  readonly check: string;
  readonly environment: Stack;
  /** `Deployment/<environment>/guard`: the same in every stack, whatever its namespace is called. */
  readonly object: string;
  /** What it says of it, in its own words. */
  readonly said: string;
}

/** `Kind/namespace/name` of an object, without what differs from stack to stack and from content to content. */
export function objectName(kind: string, namespace: string, name: string, environment: Stack): string {
  const everywhere = namespace === environment ? "<environment>" : namespace;
  return [kind, everywhere, name.replace(/-[0-9a-f]{10}$/, "").replace(environment, "<environment>")].join("/");
}
