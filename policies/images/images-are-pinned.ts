import { always } from "../levels.ts";
import type { ResourceRule } from "../rule.ts";
import { imagesOf } from "./image.ts";

/** What runs today runs tomorrow. */
export const imagesArePinned: ResourceRule = {
  id: "images-are-pinned",
  summary: "Every image has a tag or a digest, and `latest` is none.",
  why: "A new pod of an old release starts with whatever the name means that day, and a rollback brings nothing back.",
  severity: "high",
  sources: ["V16", "S4-44", "C21", "CKV_K8S_14", "KSV013", "kube-score container-image-tag"],
  levels: always,
  example: {
    bad: "image: registry.example.com/taskflow-backend:latest",
    good: "image: registry.example.com/taskflow-backend:v1.4.2",
  },
  judge: (subject) =>
    imagesOf(subject)
      .filter(({ image }) => image.digest === undefined && (image.tag ?? "latest") === "latest")
      .map(({ path, image }) => ({
        path,
        found: image.reference,
        wanted: "a version's tag, or a digest",
        fix: "write name:version or name:version@sha256:…",
      })),
};
