import { everywhere } from "../levels.ts";
import { podsOf } from "../pod.ts";
import type { ResourceRule } from "../rule.ts";

/** Pod Security leaves this one out. */
export const readOnlyRoot: ResourceRule = {
  id: "read-only-root",
  summary: "No container can write into its own image; what must be written gets a volume.",
  why: "Who breaks into a program that can write beside itself leaves something there that the next start runs.",
  severity: "medium",
  sources: ["S2-22", "CKV_K8S_22", "KSV014", "C-0017", "kube-linter no-read-only-root-fs"],
  levels: everywhere,
  example: { bad: "securityContext: {}", good: "securityContext: {readOnlyRootFilesystem: true}" },
  judge: (subject) =>
    podsOf(subject).flatMap(({ containers }) =>
      containers
        .filter(({ object }) => object.securityContext?.readOnlyRootFilesystem !== true)
        .map(({ path }) => ({
          path: `${path}.securityContext.readOnlyRootFilesystem`,
          found: "a root that the container can write",
          wanted: "true",
          fix: "write readOnlyRootFilesystem: true, and an emptyDir for what must be written",
        })),
    ),
};
