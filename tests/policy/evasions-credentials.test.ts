import { describe, expect, it } from "vitest";
import type { Rule, Subject } from "../../policies/rule.ts";
import { noCredentialsInConfigmaps } from "../../policies/secrets/no-credentials-in-configmaps.ts";
import { noCredentialsInObjects } from "../../policies/secrets/no-credentials-in-objects.ts";
import { noCredentialsInPods } from "../../policies/secrets/no-credentials-in-pods.ts";
import { noDocumentedCredentials } from "../../policies/secrets/no-documented-credentials.ts";
import { subjectOf } from "../../policies/subject.ts";
import { object, objections, resource, workload } from "../support/policy-cases.ts";

/** What is unsafe, and was once passed over: each by the rule that now names it. */
type Case = readonly [what: string, rule: Rule, subjects: readonly Subject[]];

const password = "hunter2hunter2";
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const pod = (container: object) => [workload("web", { container: { ...container } })];
const env = (...variables: object[]) => pod({ env: variables });
const map = (fields: object) => [object("ConfigMap", "web", { ...fields })];
const configured = (kind: string, spec: object) => [object(kind, "one", { spec })];
const pipeline = (...lines: readonly string[]) =>
  configured("Logstash", { pipelines: [{ "pipeline.id": "main", "config.string": lines.join("\n") }] });

const credentials: readonly Case[] = [
  [
    "a password out of a ConfigMap",
    noCredentialsInPods,
    env({ name: "DB_PASSWORD", valueFrom: { configMapKeyRef: { name: "web", key: "a" } } }),
  ],
  [
    "a password out of an annotation",
    noCredentialsInPods,
    env({ name: "DB_PASSWORD", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['a']" } } }),
  ],
  [
    "a password by the name of another variable",
    noCredentialsInPods,
    env({ name: "A", value: password }, { name: "DB_PASSWORD", value: "$(A)" }),
  ],
  ["a password behind a reference", noCredentialsInPods, env({ name: "DB_PASSWORD", value: `$(A)${password}` })],
  ["a short name of a password", noCredentialsInPods, env({ name: "DB_PASS", value: password })],
  ["a key that signs", noCredentialsInPods, env({ name: "DJANGO_SECRET_KEY", value: password })],
  [
    "a password in a connection string",
    noCredentialsInPods,
    env({ name: "DSN", value: `host=db user=web password=${password}` }),
  ],
  [
    "a password in a script",
    noCredentialsInPods,
    pod({ command: ["sh", "-c", `export PGPASSWORD=${password}; psql`] }),
  ],
  [
    "a password behind a flag in a script",
    noCredentialsInPods,
    pod({ args: [`redis-server --requirepass ${password}`] }),
  ],
  [
    "a password in a probe's command",
    noCredentialsInPods,
    pod({ livenessProbe: { exec: { command: ["redis-cli", "--pass", password] } } }),
  ],
  [
    "a password in a hook",
    noCredentialsInPods,
    pod({ lifecycle: { preStop: { exec: { command: [`--token=${password}`] } } } }),
  ],
  [
    "a header of a probe",
    noCredentialsInPods,
    pod({
      readinessProbe: {
        httpGet: { path: "/", port: "http", httpHeaders: [{ name: "Authorization", value: `Basic ${password}` }] },
      },
    }),
  ],
  [
    "an annotation of a pod, in JSON",
    noCredentialsInPods,
    [workload("web", { annotations: { "checks.example.com/web": JSON.stringify([{ password }]) } })],
  ],
  [
    "an annotation of an operator's pods",
    noCredentialsInPods,
    configured("Prometheus", { podMetadata: { annotations: { apiKey: password } } }),
  ],
  ...["Deployment", "Pod", "Service", "HTTPRoute", "Namespace", "ServiceAccount", "Prometheus"].map(
    (kind): Case => [
      `an annotation of a ${kind}`,
      noCredentialsInObjects,
      [object(kind, "web", { metadata: { annotations: { apiKey: password } } })],
    ],
  ),
  [
    "Kibana's configuration",
    noCredentialsInObjects,
    configured("Kibana", { config: { "xpack.security.encryptionKey": password } }),
  ],
  [
    "secrets inside Kibana's configuration",
    noCredentialsInObjects,
    configured("Kibana", { config: { "xpack.actions.preconfigured": { mail: { secrets: { password } } } } }),
  ],
  [
    "Elasticsearch's configuration",
    noCredentialsInObjects,
    configured("Elasticsearch", { nodeSets: [{ name: "a", config: { "xpack.ldap.bind_password": password } }] }),
  ],
  [
    "a Logstash pipeline",
    noCredentialsInObjects,
    pipeline("output {", "  elasticsearch {", `    password => "${password}"`, "  }", "}"),
  ],
  [
    "a Logstash pipeline in one line",
    noCredentialsInObjects,
    pipeline(`output { elasticsearch { user => "a" "password" => '${password}' } }`),
  ],
  [
    "Logstash's configuration",
    noCredentialsInObjects,
    configured("Logstash", { config: { "xpack.monitoring.elasticsearch.password": password } }),
  ],
  [
    "a Beat's configuration",
    noCredentialsInObjects,
    configured("Beat", { config: { "output.elasticsearch": { hosts: ["db:9200"], "cloud.auth": `web:${password}` } } }),
  ],
  [
    "an argument of Prometheus",
    noCredentialsInObjects,
    configured("Prometheus", { additionalArgs: [{ name: "remote.token", value: password }] }),
  ],
  [
    "where Prometheus writes",
    noCredentialsInObjects,
    configured("Prometheus", { remoteWrite: [{ url: `https://web:${password}@metrics.example.com/` }] }),
  ],
  [
    "a header of Alertmanager's",
    noCredentialsInObjects,
    configured("AlertmanagerConfig", {
      receivers: [{ emailConfigs: [{ headers: [{ key: "Authorization", value: `Basic ${password}` }] }] }],
    }),
  ],
  [
    "a header that the Gateway adds",
    noCredentialsInObjects,
    configured("HTTPRoute", {
      rules: [
        { filters: [{ requestHeaderModifier: { set: [{ name: "Authorization", value: `Basic ${password}` }] } }] },
      ],
    }),
  ],
  [
    "a login of a Cluster",
    noCredentialsInObjects,
    configured("Cluster", { bootstrap: { initdb: { postInitSQL: [`CREATE ROLE web PASSWORD '${password}'`] } } }),
  ],
  [
    "a Logstash pipeline in a ConfigMap",
    noCredentialsInConfigmaps,
    map({ data: { "main.conf": `output {\n  password => "${password}"\n}\n` } }),
  ],
  [
    "a file in base64",
    noCredentialsInConfigmaps,
    map({ binaryData: { "app.env": Buffer.from(`A=1\nDB_PASSWORD=${password}\n`).toString("base64") } }),
  ],
  [
    "an item of a YAML list",
    noCredentialsInConfigmaps,
    map({ data: { "users.yaml": `users:\n  - password: ${password}\n` } }),
  ],
  [
    "a line of Redis' settings",
    noCredentialsInConfigmaps,
    map({ data: { "redis.conf": `port 6379\nrequirepass ${password}\n` } }),
  ],
  ["a connection string", noCredentialsInConfigmaps, map({ data: { DSN: `host=db user=web password=${password}` } })],
];

describe("a credential in clear", () => {
  it.each(credentials)("is named where it hides: %s", (_, rule, subjects) => {
    const said = objections(rule, subjects);
    expect(said).not.toEqual([]);
    expect(said.join("\n"), "and not quoted").not.toContain(password);
  });

  it("is named beside a value that is not known yet", () => {
    const bad = workload("web", {
      annotations: { checksum: unknown },
      container: {
        env: [
          { name: "A", value: unknown },
          { name: "DB_PASSWORD", value: password },
        ],
      },
    });
    expect(objections(noCredentialsInPods, [bad]).map((line) => line.split(" ")[1])).toEqual([
      "spec.template.spec.containers[web].env[DB_PASSWORD].value:",
      "undecidable:",
    ]);
  });
});

describe("what an operator's object says", () => {
  it("is refused with where it stands, and what to do", () => {
    const config = { "xpack.security.encryptionKey": password };
    expect(objections(noCredentialsInObjects, configured("Kibana", { config }))).toEqual([
      "Kibana/production/one spec.config.xpack.security.encryptionKey: found a value in clear for xpack.security.encryptionKey; wanted a reference to a Secret. Fix: put it into a Secret, and name that where the kind asks for one",
    ]);
  });

  it("may name Secrets, variables and files", () => {
    const variable = "$" + "{ECK_ES_PASSWORD}";
    const good = [
      ...configured("Alertmanager", { configSecret: "alertmanager", secrets: ["alertmanager-tls"] }),
      ...configured("Prometheus", {
        secrets: ["remote-token"],
        remoteWrite: [{ url: "https://metrics/", basicAuth: { password: { name: "remote", key: "password" } } }],
        scrapeClasses: [{ authorization: { credentialsFile: "/var/run/secrets/token" } }],
      }),
      ...configured("Elasticsearch", { auth: { fileRealm: [{ secretName: "users" }] } }),
      ...pipeline("output {", `  password => "${variable}"`, `  api_key => '${variable}'`, "}"),
    ];
    expect(good.flatMap((each) => objections(noCredentialsInObjects, [each]))).toEqual([]);
  });

  it("is named once: what pods read, the rule on pods reads", () => {
    const env = [{ name: "DB_PASSWORD", value: password }];
    const template = { spec: { containers: [{ name: "web", env }] } };
    const all = [
      ...configured("Kibana", { podTemplate: template }),
      ...configured("Beat", { daemonSet: { podTemplate: template } }),
      ...configured("Elasticsearch", { nodeSets: [{ podTemplate: template }] }),
      ...configured("Prometheus", { containers: template.spec.containers }),
    ];
    expect(all.map((each) => objections(noCredentialsInPods, [each]).length)).toEqual([1, 1, 1, 1]);
    expect(all.flatMap((each) => objections(noCredentialsInObjects, [each]))).toEqual([]);
  });

  it("is named beside a value that is not known yet", () => {
    const config = { "server.name": unknown, "server.password": password };
    const said = objections(noCredentialsInObjects, configured("Kibana", { config }));
    expect(said.map((line) => line.split(" ")[1])).toEqual(["spec.config.server.password:", "undecidable:"]);
  });
});

describe("a credential of the documents", () => {
  const known = "staging-secret-key";
  const bytes = (text: string) => Buffer.from(text).toString("base64");
  const declared = (type: string, props: Record<string, unknown>) =>
    subjectOf({ urn: `urn:${type}`, type, name: "x", props, opts: { protect: false } });
  const role = (password: unknown) => declared("postgresql:index/role:Role", { name: "web", password });
  const cases: readonly (readonly [what: string, subject: Subject, path: string])[] = [
    ["a Secret's text", object("Secret", "web", { stringData: { JWT_SECRET: known } }), "stringData.JWT_SECRET"],
    ["a Secret's bytes", object("Secret", "web", { data: { JWT_SECRET: bytes(`a ${known}`) } }), "data.JWT_SECRET"],
    [
      "a ConfigMap's bytes",
      object("ConfigMap", "web", { binaryData: { "a.env": bytes(`KEY=${known}`) } }),
      "binaryData.a.env",
    ],
    ["a login's password", role("demo123"), "password"],
    [
      "a provider's password",
      resource("pulumi:providers:postgresql", "x", { password: "demo123", username: "postgres" }),
      "password",
    ],
    [
      "what a password is made anew for",
      resource("random:index/randomPassword:RandomPassword", "x", { keepers: { rotation: known } }),
      "keepers.rotation",
    ],
    [
      "a text beside one that is not known yet",
      object("Secret", "web", { stringData: { DATABASE_URL: unknown, JWT_SECRET: known } }),
      "stringData.JWT_SECRET",
    ],
  ];

  it.each(cases)("is named where only the cluster should read it, and not quoted: %s", (_, subject, path) => {
    const said = objections(noDocumentedCredentials, [subject]);
    expect(said.map((line) => line.split(" ")[1])).toEqual([`${path}:`]);
    expect(said.join()).toContain("wanted a value that nobody has read. Fix: generate it with @pulumi/random");
    for (const secret of [known, "demo123", bytes(known)]) expect(said.join()).not.toContain(secret);
  });

  it("is not asked for where the first preview cannot know it", () => {
    const secret = (stringData: unknown) => object("Secret", "web", { stringData });
    const keepers = declared("random:index/randomPassword:RandomPassword", { keepers: { list: [unknown] } });
    const all = [secret(unknown), secret({ JWT_SECRET: unknown }), role(unknown), role("x"), keepers];
    expect(objections(noDocumentedCredentials, all)).toEqual([]);
  });
});
