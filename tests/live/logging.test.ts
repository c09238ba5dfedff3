import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Progress } from "../../cli/progress.ts";
import { elasticsearchManifest, elasticsearchPod, rolesSecret } from "../../components/logging/elasticsearch.ts";
import { continuationPattern, filebeatManifest, filebeatPod } from "../../components/logging/filebeat.ts";
import { kibanaManifest, kibanaPod } from "../../components/logging/kibana.ts";
import { collectorsNamespaceManifest, loggingNamespace } from "../../components/logging/logging.ts";
import { keeperConfigMap, logstashManifest, logstashPod } from "../../components/logging/logstash.ts";
import { collectorsNamespace } from "../../components/logging/names.ts";
import { containerPathPattern, textLinePattern } from "../../components/logging/pipeline.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { binariesOf, goBuild } from "../../local/go/build.ts";
import { installElasticTypes, removeElasticTypes } from "../../local/operators/elastic.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { run } from "../../local/run.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { core } from "../support/live-cluster.ts";
import { continuations, logLines } from "../support/log-lines.ts";
import { stackSettings } from "../support/platform.ts";

const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };

const production = stackSettings("production");
const namespace = `logging-${randomBytes(3).toString("hex")}`;
const settings = { ...production, logging: { ...production.logging, namespace } };
const program = "index-keeper-0123456789";

describe("what a stack declares of the Elastic Stack", () => {
  beforeAll(async () => {
    await installElasticTypes();
    for (const { metadata } of [loggingNamespace(settings), collectorsNamespaceManifest(settings)]) {
      await core.createNamespace({
        body: { metadata: { ...metadata, labels: { ...metadata.labels, ...runLabels() } } },
      });
    }
  });
  afterAll(async () => {
    for (const name of [namespace, collectorsNamespace(settings)])
      await core.deleteNamespace({ name, gracePeriodSeconds: 0 });
    await removeElasticTypes();
  });

  /** What the API server says of a manifest, with every field known to it. */
  const dryRun = (manifest: object) =>
    kubectl(["apply", "--server-side", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-"], {
      input: JSON.stringify(manifest),
    }).then((said) => said.trim());

  const customs = [
    elasticsearchManifest(settings),
    kibanaManifest(settings),
    logstashManifest(settings, program),
    filebeatManifest(settings),
  ];

  it.each(customs)("is what the API server takes, every field known: $kind", async (manifest) => {
    const [group] = manifest.apiVersion.split("/");
    expect(await dryRun(manifest)).toBe(`${manifest.kind.toLowerCase()}.${group}/${manifest.metadata.name}`);
  });

  it("is refused with a field that the operator does not know", async () => {
    const { spec, ...rest } = elasticsearchManifest(settings);
    await expect(dryRun({ ...rest, spec: { ...spec, nodeSet: [] } })).rejects.toThrow(
      ".spec.nodeSet: field not declared",
    );
  });

  it("is taken with its Secret and its ConfigMap, which holds the keeper's program", async () => {
    expect(await dryRun({ apiVersion: "v1", kind: "Secret", ...rolesSecret(settings) })).toBe(
      "secret/elasticsearch-roles",
    );
    const keeper = keeperConfigMap(settings, (await bundlePrograms()).logging);
    expect(await dryRun({ apiVersion: "v1", kind: "ConfigMap", ...keeper })).toBe(`configmap/${keeper.metadata.name}`);
  });

  /**
   * A pod template as a Pod. The CRDs let any field in it pass (ECK's own recipe says `emptydir`), so the schema of Pods must say;
   * and Pod Security, as the namespace enforces it. The operator brings the image of its own containers.
   */
  const asPod = (template: (typeof templates)[number]["template"], inNamespace: string) => {
    const { metadata, spec } = structuredClone(template) as {
      metadata: object;
      spec: { containers: object[]; volumes?: object[] };
    };
    const containers = spec.containers.map((container) => ({ image: "elastic:1", ...container }));
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: "tried", namespace: inNamespace },
      spec: { ...spec, containers },
    };
  };
  const templates = [
    { part: "Elasticsearch", template: elasticsearchPod(settings), where: namespace },
    { part: "Kibana", template: kibanaPod(settings), where: namespace },
    { part: "Logstash", template: logstashPod(settings, program), where: namespace },
    { part: "Filebeat", template: filebeatPod(settings), where: collectorsNamespace(settings) },
  ];

  it.each(templates)("has pods that the API server and its namespace take: $part", async ({ template, where }) => {
    expect(await dryRun(asPod(template, where))).toBe("pod/tried");
  });

  it("has one part that reads the machine's files, and no other namespace takes it", async () => {
    await expect(dryRun(asPod(filebeatPod(settings), namespace))).rejects.toThrow('violates PodSecurity "restricted');
  });

  it("would not get by with a volume that is spelt like the one of ECK's recipe", async () => {
    const pod = asPod(kibanaPod(settings), namespace);
    const spelt = { ...pod, spec: { ...pod.spec, volumes: [{ name: "data", emptydir: {} }] } };
    await expect(dryRun(spelt)).rejects.toThrow(".emptydir: field not declared");
  });
});

describe("the patterns of the log pipeline, run by Elastic's own grok", () => {
  const grok = async (pattern: string, lines: readonly string[]) => {
    const [binary = ""] = binariesOf("elastic-grok");
    const answer = await run(binary, [], { input: JSON.stringify({ pattern, lines }) });
    return JSON.parse(answer) as readonly (Readonly<Record<string, string>> | null)[];
  };

  beforeAll(() => goBuild("elastic-grok", silent));

  it("read every line of S1-67's form whole, and no other line", async () => {
    const texts = logLines.filter(({ becomes }) => becomes.kind !== "json");
    const found = await grok(
      textLinePattern,
      texts.map(({ line }) => line),
    );
    const wanted = texts.map(({ name, becomes }) => [name, becomes.kind === "fields" ? becomes.fields : null]);
    expect(texts.map(({ name }, index) => [name, found[index]])).toEqual(wanted);
    expect(texts.length).toBeGreaterThan(20);
  });

  it("are never asked about a JSON object, and about everything else", () => {
    for (const { name, line, becomes } of logLines)
      expect([name, isObject(line)], "what Filebeat's ndjson takes").toEqual([name, becomes.kind === "json"]);
  });

  it("name pod and container of a log by its path, also where their names have dashes", async () => {
    const id = "0123456789abcdef".repeat(4);
    const of = (pod: string, container: string) => ({ pod, namespace: "production", container });
    const path = (name: string) => `/var/log/containers/${name}.log`;
    expect(
      await grok(containerPathPattern, [
        path(`taskflow-backend-blue-6d5f7c9b8-x2x4z_production_backend-${id}`),
        path(`rollout-metrics-7d9_production_rollout-metrics-${id}`),
        path("no-container"),
        `${path(`a_b_c-${id}`)}.1`,
      ]),
    ).toEqual([
      of("taskflow-backend-blue-6d5f7c9b8-x2x4z", "backend"),
      of("rollout-metrics-7d9", "rollout-metrics"),
      null,
      null,
    ]);
  });

  it("join to a line what belongs to it, and nothing else", async () => {
    const { continued, own } = continuations;
    const found = await grok(`(?<joined>${continuationPattern})`, [...continued, ...own]);
    expect(found.map((fields) => fields !== null)).toEqual([...continued.map(() => true), ...own.map(() => false)]);
  });
});

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
