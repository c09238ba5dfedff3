import { inProduction } from "../levels.ts";
import type { ResourceRule } from "../rule.ts";
import { isRelease } from "../stack.ts";
import { imagesOf } from "./image.ts";

/** Production runs the very bytes that were tested. */
export const releaseImagesByDigest: ResourceRule = {
  id: "release-images-by-digest",
  summary: "The images of a release are named by digest.",
  why: "Whoever can push to the registry can otherwise change what production runs, between two pods of one release.",
  severity: "high",
  sources: ["V16", "S4-44", "C21", "S2-28", "CKV_K8S_43", "kube-linter image-not-pinned-by-digest"],
  levels: inProduction,
  example: {
    bad: "image: registry.example.com/taskflow-backend:v1.4.2",
    good: "image: registry.example.com/taskflow-backend:v1.4.2@sha256:4959…",
  },
  judge: (subject) =>
    isRelease(subject)
      ? imagesOf(subject)
          .filter(({ image }) => image.digest === undefined)
          .map(({ path, image }) => ({
            path,
            found: image.reference,
            wanted: "a digest",
            fix: "write name:tag@sha256:…, as the registry says it",
          }))
      : [],
};
