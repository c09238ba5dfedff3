import { describe, expect, it } from "vitest";
import { judgeAll } from "../../policies/judge.ts";
import type { Rule, Subject } from "../../policies/rule.ts";
import { looksGenerated, namesCredential } from "../../policies/secrets/credential.ts";
import { noCredentialsInConfigmaps } from "../../policies/secrets/no-credentials-in-configmaps.ts";
import { noCredentialsInPods } from "../../policies/secrets/no-credentials-in-pods.ts";
import { noDocumentedCredentials } from "../../policies/secrets/no-documented-credentials.ts";
import { productionRunsAsProduction } from "../../policies/secrets/production-runs-as-production.ts";
import { object, objections, resource, workload } from "../support/policy-cases.ts";

const jwt = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJ1c2VyMSJ9", "c2lnbmF0dXJlc2lnbmF0dXJl"].join(".");
const random = "q7Zt2LxV9bRk4WmC8sYd";
const values = [
  "hunter2hunter2",
  "s3cr3tpart",
  jwt,
  random,
  "correct-horse",
  "staging-secret-key",
  "demo123",
  "user:pass",
];

describe("no-credentials-in-pods", () => {
  it("lets references, paths and switches pass, whatever their names", () => {
    const env = [
      { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
      { name: "DB_PASSWORD_FILE", value: "/etc/golive/password" },
      { name: "DISABLE_TOKEN", value: "true" },
      { name: "PROMETHEUS", value: "http://prometheus.monitoring.svc:9090" },
      { name: "URL", value: "redis://app:$(PASSWORD)@redis:6379" },
    ];
    const annotations = {
      "golive/release": "1.1.0-8cc83c3adc",
      "checksum/config": "a".repeat(32).concat("0123456789abcdef"),
    };
    const args = ["--config.file=/etc/blackbox.json", "--token-file", "/var/run/token"];
    expect(objections(noCredentialsInPods, [workload("web", { container: { env, args }, annotations })])).toEqual([]);
  });

  it("objects to a credential by its name, its form and its randomness, in each place, and quotes none", () => {
    const env = [
      { name: "DB_PASSWORD", value: "hunter2hunter2" },
      { name: "REDIS_URL", value: "redis://taskflow:s3cr3tpart@redis:6379" },
      { name: "HEADER", value: `Bearer ${jwt}` },
      { name: "SALT", value: random },
    ];
    const args = ["--password=correct-horse", "--token", "correct-horse", "-----BEGIN RSA PRIVATE KEY-----"];
    const said = objections(noCredentialsInPods, [
      workload("web", { container: { env, args }, annotations: { apiKey: "correct-horse" } }),
    ]);
    expect(values.filter((value) => said.join("\n").includes(value))).toEqual([]);
    expect(said).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.template.metadata.annotations[apiKey]: found a value in clear for apiKey; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].env[DB_PASSWORD].value: found a value in clear for DB_PASSWORD; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].env[REDIS_URL].value: found a URL with a password; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].env[HEADER].value: found a signed token; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].env[SALT].value: found a word as random as a key; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].args[0]: found a value in clear for password; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].args[2]: found a value in clear for token; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
        "Deployment/production/web spec.template.spec.containers[web].args[3]: found a private key; wanted a reference to a Secret. Fix: put it into a Secret, and refer to it by valueFrom or a volume",
      ]
    `);
  });
});

describe("no-credentials-in-configmaps", () => {
  const map = (data: Record<string, string>) => object("ConfigMap", "web", { data });

  it("lets settings, programs and digests pass", () => {
    const data = {
      LOG_LEVEL: "info",
      "settings.json": JSON.stringify({ passwordFile: "/etc/password", files: ["0".repeat(64)] }),
      "program.mjs": "const password = read(file);\nconnect({ password: password });\n",
      job: "taskflow-migrate-a871815634",
    };
    expect(objections(noCredentialsInConfigmaps, [map(data)])).toEqual([]);
  });

  it("objects to a credential by its key, inside JSON, in a line of settings, in SQL, and quotes none", () => {
    const said = objections(noCredentialsInConfigmaps, [
      map({
        JWT_SECRET: "correct-horse",
        DATABASE_URL: "postgresql://app:s3cr3tpart@db:5432/app",
        "settings.json": JSON.stringify({ server: { password: "hunter2hunter2" } }),
        "settings.yaml": "host: db\npassword: correct-horse\n",
        "001_roles.sql": "CREATE ROLE app LOGIN PASSWORD 'hunter2hunter2';\nSELECT 1;",
      }),
    ]);
    expect(values.filter((value) => said.join("\n").includes(value))).toEqual([]);
    expect(said).toMatchInlineSnapshot(`
      [
        "ConfigMap/production/web data[JWT_SECRET]: found a value in clear for JWT_SECRET; wanted no credential in a ConfigMap. Fix: move it into a Secret",
        "ConfigMap/production/web data[DATABASE_URL]: found a URL with a password; wanted no credential in a ConfigMap. Fix: move it into a Secret",
        "ConfigMap/production/web data[settings.json].server.password: found a value in clear for password; wanted no credential in a ConfigMap. Fix: move it into a Secret",
        "ConfigMap/production/web data[settings.yaml] line 2: found a value in clear for password; wanted no credential in a ConfigMap. Fix: move it into a Secret",
        "ConfigMap/production/web data[001_roles.sql]: found a password in SQL; wanted no credential in a ConfigMap. Fix: move it into a Secret",
      ]
    `);
  });
});

describe("no-documented-credentials", () => {
  it("finds the documents' own credentials anywhere, and does not repeat them", () => {
    const said = objections(noDocumentedCredentials, [
      object("ConfigMap", "smoke", { data: { body: '{"password":"demo123"}' } }),
      workload("web", { container: { args: ["--key", "staging-secret-key"] } }),
      object("ConfigMap", "db", { data: { URL: "postgresql://user:pass@staging-db:5432/taskflow_staging" } }),
      resource("postgresql:index/role:Role", "user", { name: "x", comment: "demo123" }),
    ]);
    expect(values.filter((value) => said.join("\n").includes(value))).toEqual([]);
    expect(said).toMatchInlineSnapshot(`
      [
        "ConfigMap/production/smoke data.body: found the documents' demo password; wanted a value that nobody has read. Fix: generate it with @pulumi/random, and refer to its Secret",
        "Deployment/production/web spec.template.spec.containers[0].args[1]: found the documents' signing key; wanted a value that nobody has read. Fix: generate it with @pulumi/random, and refer to its Secret",
        "ConfigMap/production/db data.URL: found the documents' database login; wanted a value that nobody has read. Fix: generate it with @pulumi/random, and refer to its Secret",
        "user comment: found the documents' demo password; wanted a value that nobody has read. Fix: generate it with @pulumi/random, and refer to its Secret",
      ]
    `);
  });
});

describe("what the migration runner will say", () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const verdicts = (rule: Rule, map: Subject) =>
    judgeAll([map], [rule], { environment: "production" }).map(({ verdict }) => verdict);

  it.each([noCredentialsInConfigmaps, noDocumentedCredentials])(
    "leaves the first preview of a stack decided, and nothing else that is unknown: $id",
    (rule) => {
      expect(verdicts(rule, object("ConfigMap", "taskflow-schema", { data: { result: unknown } }))).toEqual([]);
      expect(verdicts(rule, object("ConfigMap", "taskflow-schema", { data: { other: unknown } }))).toEqual([
        "undecidable",
      ]);
      expect(verdicts(rule, object("ConfigMap", "web", { data: { result: unknown } }))).toEqual(["undecidable"]);
    },
  );

  it.each([noCredentialsInConfigmaps, noDocumentedCredentials])("is judged once it is said: $id", (rule) => {
    const said = object("ConfigMap", "taskflow-schema", { data: { result: "postgresql://user:pass@db:5432/x" } });
    expect(verdicts(rule, said)).toEqual(["violation"]);
  });
});

describe("what betrays a credential", () => {
  it.each(["DB_PASSWORD", "apiKey", "JWT_SECRET", "REDISCLI_AUTH", "access-key", "tokens"])(
    "is the name %s",
    (name) => {
      expect(namesCredential(name)).toBe(true);
    },
  );
  it.each(["PASSWORD_FILE", "secretName", "TOKEN_TTL", "keys", "author"])("is not the name %s", (name) => {
    expect(namesCredential(name)).toBe(false);
  });
  it.each([random, `prefix-${random}`])("is the randomness of %s", (text) => expect(looksGenerated(text)).toBe(true));
  it.each([
    "49597fb65976796e6a445eca4d341bd31d1a3e4bb2e3c9805a2381814e026a67",
    "taskflow-database-programs-8e814d91e6",
    "--collector.filesystem.mount-points-exclude=^/(dev|proc)",
    "postgres-rw.production.svc.cluster.local",
  ])("is not the randomness of %s", (text) => expect(looksGenerated(text)).toBe(false));
});

describe("production-runs-as-production", () => {
  const map = (data: Record<string, string>) => object("ConfigMap", "shop-green", { data });
  const release = workload("shop-green", {
    metadata: { labels: { version: "green" } },
    container: { envFrom: [{ configMapRef: { name: "shop-green" } }] },
  });

  it("objects to a release in another mode, with debug output", () => {
    const good = map({ NODE_ENV: "production", LOG_LEVEL: "info" });
    expect(objections(productionRunsAsProduction, [good, release])).toEqual([]);
    const bad = map({ NODE_ENV: "development", LOG_LEVEL: "DEBUG", DEBUG: "*" });
    expect(objections(productionRunsAsProduction, [bad, release])).toMatchInlineSnapshot(`
      [
        "Deployment/production/shop-green spec.template.spec.containers[web].env[NODE_ENV]: found development; wanted production. Fix: set NODE_ENV in the colour's ConfigMap: production",
        "Deployment/production/shop-green spec.template.spec.containers[web].env[LOG_LEVEL]: found DEBUG; wanted info. Fix: set LOG_LEVEL in the colour's ConfigMap: info",
        "Deployment/production/shop-green spec.template.spec.containers[web].env[DEBUG]: found *; wanted nothing. Fix: set DEBUG in the colour's ConfigMap: nothing",
      ]
    `);
    expect(objections(productionRunsAsProduction, [release])).toHaveLength(1);
  });
});
