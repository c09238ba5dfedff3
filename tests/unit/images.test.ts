import { describe, expect, it } from "vitest";
import { imageProblem, mirrored } from "../../settings/images.ts";
import { sha256 } from "../support/config.ts";

const digest = sha256("a");

describe("an image reference", () => {
  it.each([
    ["backend:1", false],
    ["registry:5000/team/backend:1.2.3-rc.1", false],
    [`backend${digest}`, false],
    [`backend:1${digest}`, true],
    [`registry:5000/backend${digest}`, true],
    [`backend:latest${digest}`, true],
  ])("%s may be pulled (by digest: %s)", (reference, byDigest) => {
    expect(imageProblem(reference, byDigest)).toBe(undefined);
  });

  it.each([
    ["backend", false, 'got "backend"; a tag or a digest is required: name:tag or name@sha256:…'],
    [
      "registry:5000/backend",
      false,
      'got "registry:5000/backend"; a tag or a digest is required: name:tag or name@sha256:…',
    ],
    ["backend:latest", false, 'got "backend:latest"; latest may be another image tomorrow: name a version or a digest'],
    ["", false, 'got ""; allowed: name:tag or name@sha256:<64 hex digits>'],
    ["back end:1", false, 'got "back end:1"; allowed: name:tag or name@sha256:<64 hex digits>'],
    ["backend@sha256:abc", true, 'got "backend@sha256:abc"; allowed: name:tag or name@sha256:<64 hex digits>'],
    ["backend:1", true, 'got "backend:1"; a digest is required here: name:tag@sha256:…'],
  ])("%j is refused (by digest: %s), and says why", (reference, byDigest, problem) => {
    expect(imageProblem(reference, byDigest)).toBe(problem);
  });
});

describe("a mirrored image", () => {
  const mirrors = {
    "docker.io/": "mirror.example.com/docker/",
    "docker.io/library/": "mirror.example.com/official/",
    "docker.io/library/postgres:15": "golive.local/postgres:15",
    "docker.io/library/post": "wrong.example.com/post",
  };

  it.each([
    ["docker.io/library/postgres:15", "golive.local/postgres:15"],
    ["docker.io/library/redis:7", "mirror.example.com/official/redis:7"],
    ["docker.io/team/backend:1", "mirror.example.com/docker/team/backend:1"],
    ["docker.io/library/postgres:16", "mirror.example.com/official/postgres:16"],
    ["quay.io/backend:1", "quay.io/backend:1"],
  ])("%s comes from %s: the exact entry, else the longest prefix that ends in /", (reference, from) => {
    expect(mirrored(reference, mirrors)).toBe(from);
  });
});
