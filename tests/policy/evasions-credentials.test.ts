import { describe, expect, it } from "vitest";
import type { Rule, Subject } from "../../policies/rule.ts";
import { noCredentialsInConfigmaps } from "../../policies/secrets/no-credentials-in-configmaps.ts";
import { noCredentialsInPods } from "../../policies/secrets/no-credentials-in-pods.ts";
import { object, objections, workload } from "../support/policy-cases.ts";

/** What is unsafe, and was once passed over: each by the rule that now names it. */
type Case = readonly [what: string, rule: Rule, subjects: readonly Subject[]];

const password = "hunter2hunter2";
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const pod = (container: object) => [workload("web", { container: { ...container } })];
const env = (...variables: object[]) => pod({ env: variables });
const map = (fields: object) => [object("ConfigMap", "web", { ...fields })];

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
    "an annotation of the workload itself",
    noCredentialsInPods,
    [workload("web", { metadata: { annotations: { apiKey: password } } })],
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
