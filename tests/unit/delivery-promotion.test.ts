import { describe, expect, it } from "vitest";
import {
  type Evidence,
  evidenceIn,
  provenReleases,
  type RunningPod,
  unknownImages,
} from "../../cli/delivery/evidence.ts";
import { promotionOf, withRelease } from "../../cli/delivery/promote.ts";
import { readRoute } from "../../rollout/observed.ts";
import { parseSettings } from "../../settings.ts";
import { completeProduction, rawSettings, sha256 } from "../support/config.ts";
import { type RouteOptions, routeObject, told } from "../support/live.ts";

const digest = (digit: string) => sha256(digit).slice(1);
const releases = { blue: "1.0.0-aaaa", green: "2.0.0-bbbb" };

interface PodChanges {
  readonly image?: string;
  readonly ready?: boolean;
  readonly release?: string;
  readonly deletionTimestamp?: string;
}

function pod(colour: "blue" | "green", component: string, changes: PodChanges = {}): RunningPod {
  const [release, digit] = [releases[colour], colour === "blue" ? "1" : "3"];
  const { image = `registry.example.com/${component}${sha256(digit)}`, ready = true, release: id = release } = changes;
  const [version = ""] = id.split("-");
  const labels = { app: "taskflow", component, version: colour, "app.kubernetes.io/version": version };
  const { deletionTimestamp } = changes;
  return {
    metadata: {
      labels,
      annotations: { "golive/release": id },
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    status: { containerStatuses: [{ name: component, imageID: image, ready }] },
  };
}

const running = (changes: PodChanges = {}) => [
  pod("green", "backend"),
  pod("green", "backend", changes),
  pod("green", "frontend"),
];
const proven: RouteOptions = {
  told: told({ candidateTraffic: 100, proven: { blue: undefined, green: releases.green } }),
};
const shown = (route: RouteOptions, pods: readonly RunningPod[]) => provenReleases(readRoute(routeObject(route)), pods);
const green = { version: "2.0.0", digests: { backend: digest("3"), frontend: digest("3") } };

describe("the evidence of a stack", () => {
  it("is the release that was proven at 100 %, by the digests that its pods run", () => {
    expect(shown(proven, running())).toEqual([green]);
  });

  it("is the stable release, too, when it has all traffic: a first release was nobody's candidate", () => {
    const pods = [pod("blue", "backend"), pod("blue", "frontend")];
    const first = told({ proven: { blue: undefined, green: undefined } });
    expect(shown({ told: first }, pods)).toEqual([
      { version: "1.0.0", digests: { backend: digest("1"), frontend: digest("1") } },
    ]);
  });

  it.each<[string, RouteOptions, readonly RunningPod[]]>([
    ["that is on its way up", { told: told({ candidateTraffic: 50 }) }, running()],
    ["that was tripped since", { ...proven, tombstones: [releases.green] }, running()],
    ["that the schema has left behind", { told: told({ ...proven.told, outdated: [releases.green] }) }, running()],
    ["with pods of another release", proven, running({ release: "2.0.1-cccc" }).slice(1, 2)],
    ["with a pod that is not ready", proven, running({ ready: false })],
    ["with pods that run different images", proven, running({ image: `registry.example.com/backend${sha256("9")}` })],
    ["with an image that no registry has", proven, running({ image: digest("3") })],
    ["without pods", proven, []],
  ])("is never a release %s", (_, route, pods) => {
    expect(shown(route, pods).filter(({ version }) => version.startsWith("2"))).toEqual([]);
  });

  it("does not mind a pod on its way out", () => {
    const leaving = pod("green", "backend", { ready: false, deletionTimestamp: "2026-11-21T12:00:00Z" });
    expect(shown(proven, [...running(), leaving])).toEqual([green]);
  });

  it("that came through another job is read with care", () => {
    expect(() => evidenceIn("{")).toThrow("--evidence: it:");
    const faulty = {
      stack: "staging",
      application: "taskflow",
      releases: [{ version: "2", digests: { backend: "latest" } }],
    };
    expect(() => evidenceIn(JSON.stringify(faulty))).toThrow("--evidence: releases.0.digests.backend:");
  });
});

const settings = (stack: string, changes: object = {}) =>
  parseSettings(rawSettings({ ...completeProduction, environment: stack, ...changes }, { stack }));
const known: Evidence = { stack: "staging", application: "taskflow", releases: [green] };
const image = (name: string, digit: string) => `${name}:2${sha256(digit)}`;
const greenImages = (digit: string) => ({
  green: { version: "2.0.0", images: { backend: image("backend", digit), frontend: image("frontend", digit) } },
});

describe("a release for production", () => {
  it("is let through when staging has proven each of its images, or production runs it already", () => {
    const running = new Set([digest("1"), digest("2")]);
    expect(unknownImages(settings("production", greenImages("3")), known, running)).toEqual([]);
  });

  it("is refused, image by image, when an image comes from nowhere", () => {
    expect(unknownImages(settings("production", greenImages("9")), known, new Set([digest("1"), digest("2")]))).toEqual(
      [
        `golive:green.images.backend  got ${image("backend", "9")}`,
        `golive:green.images.frontend  got ${image("frontend", "9")}`,
      ],
    );
  });

  it("is refused when the digest was proven for another service", () => {
    const swapped = { ...known, releases: [{ version: "2.0.0", digests: { frontend: digest("3") } }] };
    const running = new Set([digest("1"), digest("2")]);
    expect(unknownImages(settings("production", greenImages("3")), swapped, running)).toEqual([
      `golive:green.images.backend  got ${image("backend", "3")}`,
    ]);
  });

  it("is refused when the evidence is of another application", () => {
    expect(unknownImages(settings("production"), { ...known, application: "rag" }, new Set())).toEqual([
      "the evidence is of rag, and stack production is of taskflow",
    ]);
  });
});

describe("a promotion", () => {
  const next = {
    green: { version: "1.9.0", images: { backend: image("backend", "7"), frontend: image("frontend", "7") } },
  };

  it("takes names and tags of the first stack's file, and the digests that its pods had", () => {
    const from = settings("staging", greenImages("8"));
    expect(promotionOf(from, settings("production", next), known)).toEqual({
      colour: "green",
      version: "2.0.0",
      images: { backend: image("backend", "3"), frontend: image("frontend", "3") },
    });
  });

  it.each<[string, object, object, Evidence, string]>([
    [
      "the candidate has traffic",
      {},
      { ...next, candidateTraffic: 10 },
      known,
      "green has 10 % of the traffic in Pulumi.production.yaml",
    ],
    [
      "nothing was proven",
      {},
      next,
      { ...known, releases: [] },
      "stack staging has proven no release that its file describes",
    ],
    ["it is there already", {}, { ...next, blue: greenImages("3").green }, known, "blue runs 2.0.0 already"],
    ["it is another's evidence", {}, next, { ...known, stack: "local" }, "the evidence is of taskflow on local"],
    [
      "a service is missing",
      {},
      next,
      { ...known, releases: [{ version: "2.0.0", digests: { backend: digest("3") } }] },
      "no digest for frontend of 2.0.0",
    ],
  ])("is refused when %s", (_, from, to, evidence, message) => {
    expect(() => promotionOf(settings("staging", from), settings("production", to), evidence)).toThrow(message);
  });

  it("changes the release in the file and nothing else", () => {
    const before = `config:
  # Who goes live.
  golive:application: taskflow
  golive:green:
    version: 1.9.0
    images:
      backend: backend:1
      frontend: frontend:1
    config: { LOG_LEVEL: warn }
  golive:candidateTraffic: 0
`;
    const images = { backend: `registry.example.com/taskflow-backend:v2.0.0${sha256("3")}`, frontend: "frontend:2" };
    expect(withRelease(before, { colour: "green", version: "2.0.0", images })).toBe(
      before
        .replace("1.9.0", "2.0.0")
        .replace("backend: backend:1", `backend: ${images.backend}`)
        .replace("frontend: frontend:1", "frontend: frontend:2"),
    );
  });
});
