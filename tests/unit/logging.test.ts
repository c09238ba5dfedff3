import { mkdir, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { elasticsearchManifest, elasticsearchRoles } from "../../components/logging/elasticsearch.ts";
import { filebeatConfig, filebeatPod } from "../../components/logging/filebeat.ts";
import { indexRequests } from "../../components/logging/indices.ts";
import { kibanaManifest } from "../../components/logging/kibana.ts";
import { collectorsNamespaceManifest, loggingNamespace } from "../../components/logging/logging.ts";
import { keeperConfigMap, logstashManifest, logstashPod } from "../../components/logging/logstash.ts";
import { containerPathPattern, indexNames, pipelineText, textLinePattern } from "../../components/logging/pipeline.ts";
import { outcomeOf } from "../../local/run.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { keepIndices } from "../../programs/logging/indices.ts";
import { keeperSettings } from "../../programs/logging/settings.ts";
import { ApiServers } from "../support/api-server.ts";
import { stackSettings } from "../support/platform.ts";

const production = stackSettings("production");
const staging = stackSettings("staging", { imageMirrors: { "docker.elastic.co/": "mirror.example.com/elastic/" } });

describe("the logs of a stack", () => {
  it("stay for 90 days in daily indices, and are deleted then (S1-32, S1-66)", () => {
    expect(indexNames("taskflow")).toEqual({
      daily: "taskflow-%{+yyyy.MM.dd}",
      unparsed: "taskflow-unparsed-%{+yyyy.MM.dd}",
      pattern: "taskflow-*",
    });
    const keyword = { type: "keyword", ignore_above: 1024 };
    expect(indexRequests(production)).toEqual({
      // The last line of a day's index is a day younger than the index.
      "_ilm/policy/taskflow": {
        policy: { phases: { hot: { actions: {} }, delete: { min_age: "91d", actions: { delete: {} } } } },
      },
      "_index_template/taskflow": {
        index_patterns: ["taskflow-*"],
        priority: 500,
        template: {
          settings: {
            "index.lifecycle.name": "taskflow",
            "index.number_of_shards": 1,
            "index.number_of_replicas": 1,
          },
          mappings: {
            dynamic: false,
            properties: {
              "@timestamp": { type: "date" },
              message: { type: "text" },
              level: keyword,
              logger: keyword,
              type: keyword,
              pod: keyword,
              namespace: keyword,
              container: keyword,
              tags: keyword,
              app: { type: "flattened", ignore_above: 8191 },
            },
          },
        },
      },
    });
  });

  it("have no second copy where there is one node only: the index would never be green", () => {
    expect(indexRequests(staging)["_index_template/taskflow"]).toMatchObject({
      template: { settings: { "index.number_of_replicas": 0 } },
    });
    expect(
      indexRequests(stackSettings("staging", { logging: { retentionDays: 7 } }))["_ilm/policy/taskflow"],
    ).toMatchObject({ policy: { phases: { delete: { min_age: "8d" } } } });
  });

  it("are added by Logstash and changed by nobody; who keeps the indices reads no line", () => {
    expect(elasticsearchRoles(production)).toEqual({
      eck_logstash_user_role: {
        cluster: ["monitor"],
        indices: [{ names: ["taskflow-*"], privileges: ["auto_configure", "create_doc"] }],
      },
      golive_index_keeper: { cluster: ["manage_ilm", "manage_index_templates"] },
    });
  });

  it("survive a deletion by mistake in production", () => {
    expect(elasticsearchManifest(production).spec).toMatchObject({
      volumeClaimDeletePolicy: "DeleteOnScaledownOnly",
      nodeSets: [
        {
          count: 3,
          volumeClaimTemplates: [{ spec: { resources: { requests: { storage: "200Gi" } } } }],
        },
      ],
    });
    expect(elasticsearchManifest(stackSettings("local")).spec.volumeClaimDeletePolicy).toBe(
      "DeleteOnScaledownAndClusterDeletion",
    );
  });

  it("come with images of one version, from the mirror where there is one", () => {
    expect([elasticsearchManifest(staging), kibanaManifest(staging)].map(({ spec }) => spec)).toMatchObject([
      { version: "9.1.4", image: "mirror.example.com/elastic/elasticsearch/elasticsearch:9.1.4" },
      { version: "9.1.4", image: "mirror.example.com/elastic/kibana/kibana:9.1.4" },
    ]);
    expect(logstashManifest(production, "p").spec.image).toBe("docker.elastic.co/logstash/logstash:9.1.4");
  });

  it("are in a volume of the class that config names, each", () => {
    const settings = stackSettings("staging", { logging: { storageClass: "fast" } });
    const claim = [{ spec: { storageClassName: "fast" } }];
    expect(elasticsearchManifest(settings).spec).toMatchObject({ nodeSets: [{ volumeClaimTemplates: claim }] });
    expect(logstashManifest(settings, "p").spec).toMatchObject({ volumeClaimTemplates: claim });
  });
});

describe("the way of a line", () => {
  it("begins at the files of the stack's own pods, read by filestream (S1-65)", () => {
    expect(filebeatConfig(staging)).toEqual({
      "filebeat.inputs": [
        {
          type: "filestream",
          id: "containers-staging",
          paths: ["/var/log/containers/*_staging_*.log"],
          "prospector.scanner": { symlinks: true, fingerprint: { enabled: true, length: 64 } },
          parsers: [
            { container: { stream: "all", format: "auto" } },
            { multiline: { type: "pattern", pattern: "^[[:space:]]|^Caused by:", negate: false, match: "after" } },
            { ndjson: { target: "app", ignore_decoding_error: true } },
          ],
        },
      ],
      "output.logstash": { hosts: ["logstash-ls-beats.logging.svc:5044"] },
    });
  });

  it("is read as root, and read only, in a namespace that nothing else is in", () => {
    expect(filebeatPod(staging).spec).toMatchObject({
      automountServiceAccountToken: false,
      containers: [
        {
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          volumeMounts: [
            { name: "log-containers", mountPath: "/var/log/containers", readOnly: true },
            { name: "log-pods", mountPath: "/var/log/pods", readOnly: true },
          ],
        },
      ],
    });
    expect(collectorsNamespaceManifest(staging).metadata).toMatchObject({
      name: "logging-nodes",
      labels: { "pod-security.kubernetes.io/enforce": "privileged" },
    });
    expect(loggingNamespace(staging).metadata).toMatchObject({
      name: "logging",
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    });
  });

  it("goes past grok when it is JSON, through S1-67's form when it is a service's text, and as it is otherwise", () => {
    const text = pipelineText(staging);
    const inOrder = [
      "if [container] =~ /\\A(backend|frontend)\\z/ {",
      'mutate { add_field => { "type" => "api" } }',
      "if [app] {",
      'date { match => ["[app][time]", "ISO8601"] }',
      '} else if [type] == "api" {',
      `match => { "message" => "${textLinePattern}" }`,
      'overwrite => ["message"]',
      'match => ["timestamp", "ISO8601"]',
      'if "_grokparsefailure" in [tags] {',
      'index => "taskflow-unparsed-%{+yyyy.MM.dd}"',
      "} else {",
      'index => "taskflow-%{+yyyy.MM.dd}"',
    ];
    const places = inOrder.map((part) => [part, text.indexOf(part)] as const);
    for (const [part, place] of places) expect([part, place > -1]).toEqual([part, true]);
    expect(places.map(([, place]) => place)).toEqual(places.map(([, place]) => place).toSorted((a, b) => a - b));
    // In Logstash ^ and $ are those of any line: a stack trace has many, and Elastic's grok for Go, which tests the rest, differs.
    for (const pattern of [textLinePattern, containerPathPattern])
      expect([pattern.slice(0, 2), pattern.slice(-2)]).toEqual(["\\A", "\\z"]);
    // A pattern with a double quote would end the text that it stands in.
    expect(textLinePattern).not.toContain('"');
    expect(text.split("{").length).toBe(text.split("}").length);
  });

  it("is queued on a volume, so that a restart loses none", () => {
    expect(logstashManifest(staging, "p").spec.pipelines).toEqual([
      {
        "pipeline.id": "main",
        "pipeline.ecs_compatibility": "v8",
        "queue.type": "persisted",
        "queue.max_bytes": "1gb",
        "config.string": pipelineText(staging),
      },
    ]);
  });

  it("does not begin before Elasticsearch knows how long to keep it: the keeper runs first, and again when that changes", () => {
    expect(logstashPod(staging, "index-keeper-1").spec).toMatchObject({
      initContainers: [{ name: "index-keeper", command: ["node", "/golive/program/logging.mjs"] }],
      volumes: [{ configMap: { name: "index-keeper-1" } }, {}, {}],
    });
    const name = (retentionDays: number) =>
      keeperConfigMap(stackSettings("staging", { logging: { retentionDays } }), "bundle").metadata.name;
    expect(name(90)).toMatch(/^index-keeper-[0-9a-f]{10}$/);
    expect(name(90)).toBe(keeperConfigMap(stackSettings("staging"), "bundle").metadata.name);
    expect(name(30)).not.toBe(name(90));
  });
});

describe("the index keeper", () => {
  const servers = new ApiServers();
  afterEach(() => servers.stop());
  afterAll(() => servers.remove());

  const requests = { "_ilm/policy/one": { policy: 1 }, "_index_template/one": { template: 2 } };
  const soon = { pause: 5, most: 2000 };
  async function keep(answer: RequestListener, patience = soon) {
    const said: string[] = [];
    const url = await servers.serve(answer);
    const settings = { url, authority: "", user: "index-keeper", password: "hidden", requests };
    await keepIndices(settings, (line) => said.push(line), patience);
    return said;
  }

  it("puts each thing once, in order, as its user", async () => {
    const got: unknown[] = [];
    const said = await keep(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      got.push([request.method, request.url, request.headers.authorization, JSON.parse(body)]);
      response.end('{"acknowledged":true}');
    });
    const authorization = `Basic ${Buffer.from("index-keeper:hidden").toString("base64")}`;
    expect(got).toEqual([
      ["PUT", "/_ilm/policy/one", authorization, { policy: 1 }],
      ["PUT", "/_index_template/one", authorization, { template: 2 }],
    ]);
    expect(said).toEqual(["_ilm/policy/one is as it should be", "_index_template/one is as it should be"]);
  });

  it("waits for an Elasticsearch that starts, and says once what it waits for", async () => {
    let asked = 0;
    const said = await keep((_, response) => {
      asked += 1;
      response.statusCode = asked <= 3 ? 503 : asked <= 5 ? 401 : 200;
      response.end(asked <= 5 ? "not yet" : "{}");
    });
    expect(said.slice(0, 3)).toEqual([
      "waiting: 503 not yet",
      "waiting: 401 not yet",
      "_ilm/policy/one is as it should be",
    ]);
  });

  it("ends with what Elasticsearch refuses: waiting would not help", async () => {
    const refused = keep((_, response) => void response.writeHead(400).end("unknown field"));
    await expect(refused).rejects.toThrow("_ilm/policy/one: Elasticsearch refuses it: 400 unknown field");
  });

  it("ends when nobody answers in time", async () => {
    const settings = { url: "http://127.0.0.1:1", authority: "", user: "u", password: "hidden", requests };
    await expect(keepIndices(settings, () => {}, { pause: 5, most: 20 })).rejects.toThrow(
      "_ilm/policy/one: not done after 0.02 s: connect ECONNREFUSED 127.0.0.1:1",
    );
  });

  it("reads what its container is given, and names what is missing", async () => {
    const user = join(servers.folder, "user");
    await mkdir(user);
    const files = { "user/username": "index-keeper", "user/password": "hidden", "ca.crt": "CA", requests: "{}" };
    for (const [name, text] of Object.entries(files)) await writeFile(join(servers.folder, name), text);
    const environment = {
      ELASTICSEARCH_URL: "https://here:9200",
      ELASTICSEARCH_CA: join(servers.folder, "ca.crt"),
      ELASTICSEARCH_USER: user,
      REQUESTS: join(servers.folder, "requests"),
    };
    expect(await keeperSettings(environment)).toEqual({
      url: "https://here:9200",
      authority: "CA",
      user: "index-keeper",
      password: "hidden",
      requests: {},
    });
    await expect(keeperSettings({ ...environment, REQUESTS: "" })).rejects.toThrow("not in the environment: REQUESTS");
  });

  describe("as a bundle", () => {
    let path: string;
    beforeAll(async () => {
      path = join(servers.folder, "logging.mjs");
      await writeFile(path, (await bundlePrograms()).logging);
    });

    it("is one file without dependencies that ends with 1 and a reason", async () => {
      const { code, stderr } = await outcomeOf(process.execPath, [path], { env: {} });
      expect([code, stderr]).toEqual([1, expect.stringContaining("not in the environment: ELASTICSEARCH_URL")]);
    });
  });
});
