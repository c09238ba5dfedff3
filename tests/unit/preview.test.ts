import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { describe, expect, it } from "vitest";
import { readPreview } from "../../cli/preview/read.ts";
import { markdownOf, textOf } from "../../cli/preview/render.ts";
import type { Level } from "../../policies/rule.ts";
import { cannotDecide, configured, finds, judged, says, step, urnOf } from "../support/preview-events.ts";

const deployment = "kubernetes:apps/v1:Deployment";
const asked = { levelOf: (): Level => "mandatory", today: "2026-11-22", strict: false } as const;

const read = (events: readonly EngineEvent[], { exitCode = 0, printed = "", strict = false } = {}) =>
  readPreview({ stack: "production", events: [configured({}), ...events], exitCode, printed }, { ...asked, strict });

const pod = (image: string, env: readonly object[] = []) => ({
  spec: { template: { spec: { containers: [{ name: "backend", image, env }] } } },
});

describe("a reviewer sees what changes", () => {
  it("by component, kind and name, with the fields that differ and their values", () => {
    const changed = step("update", deployment, "taskflow-backend-green", {
      from: pod("registry/backend:v1"),
      to: pod("registry/backend:v2", [{ name: "LOG_LEVEL", value: "info" }]),
    });
    expect(read([changed]).changes).toEqual([
      {
        ...{ change: "change", kind: "Deployment", name: "taskflow-backend-green", component: "Colour taskflow-green" },
        ...{ type: deployment, urn: urnOf(changed), kept: false, objection: undefined },
        fields: [
          { path: "spec.template.spec.containers[backend].env[LOG_LEVEL].name", from: undefined, to: "LOG_LEVEL" },
          { path: "spec.template.spec.containers[backend].env[LOG_LEVEL].value", from: undefined, to: "info" },
          {
            path: "spec.template.spec.containers[backend].image",
            from: "registry/backend:v1",
            to: "registry/backend:v2",
          },
        ],
      },
    ]);
  });

  it("what is replaced and deleted first and in bold, whatever the engine came to first", () => {
    const text = markdownOf(
      read([
        step("create", "kubernetes:core/v1:ConfigMap", "a"),
        step("update", "kubernetes:core/v1:Service", "b", { from: { spec: 1 }, to: { spec: 2 } }),
        step("delete", "kubernetes:core/v1:ConfigMap", "c"),
        step("replace", "kubernetes:batch/v1:Job", "d"),
        step("create-replacement", "kubernetes:batch/v1:Job", "d"),
        step("same", deployment, "e"),
      ]),
    );
    const marks = [
      "**Replaced or deleted: 2**",
      "**replaced: Job d**",
      "**deleted: ConfigMap c**",
      "Service b",
      "ConfigMap a",
    ];
    const places = marks.map((mark) => text.indexOf(mark));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(text).not.toContain("Deployment e");
  });

  it("less traffic for the candidate in bold, from and to", () => {
    const down = says("info", "down: candidateTraffic 50 -> 10 (green); blue 90 %, green 10 %");
    expect(markdownOf(read([down]))).toContain("**Traffic: down: green 50 % → 10 %. Then: blue 90 %, green 10 %.**");
    const up = says("info", "up: candidateTraffic 10 -> 50 (green); blue 50 %, green 50 %");
    expect(markdownOf(read([up]))).toContain("\nTraffic: up: green 10 % → 50 %. Then: blue 50 %, green 50 %.\n");
  });

  it("pending migrations by name and phase, and those that wait", () => {
    const events = [says("info", "pending: 013_m.sql (expand)"), says("info", "pending: 014_n.sql (contract)")];
    const text = markdownOf(read([...events, says("info", "held: 015_o.sql (contract): set golive:contract")]));
    expect(text).toContain("Migrations: 2 pending: `013_m.sql` (expand), `014_n.sql` (**contract**).");
    expect(text).toContain("- held: 015_o.sql (contract): set golive:contract");
  });

  it("exemptions that end within two weeks, by date", () => {
    const exemption = (rule: string, expires: string) => ({
      rule,
      resource: "Deployment/a/b",
      owner: "ops",
      expires,
      reason: "r",
    });
    const list = [exemption("late", "2027-01-01"), exemption("soon", "2026-12-06"), exemption("next", "2026-11-30")];
    const events = [configured({ "golive:exemptions": JSON.stringify(list) }), judged()];
    const { policies } = readPreview({ stack: "s", events, exitCode: 0, printed: "" }, asked);
    expect(policies?.exemptions.map(({ rule }) => rule)).toEqual(["next", "soon"]);
  });

  it("the same text and the same plan for the same run, in whichever order the engine came to it", () => {
    const events = [
      step("update", deployment, "b", { from: pod("x:1"), to: pod("x:2") }),
      step("create", "kubernetes:core/v1:ConfigMap", "a"),
      finds("rule-b", { message: "x" }),
      finds("rule-a", { message: "x" }),
      judged(),
    ];
    expect(markdownOf(read(events.toReversed()))).toBe(markdownOf(read(events)));
    const other = step("update", deployment, "b", { from: pod("x:1"), to: pod("x:3") });
    expect(read([other]).plan).not.toBe(read(events.slice(0, 1)).plan);
  });

  const configMap = "kubernetes:core/v1:ConfigMap";
  const plans = (one: EngineEvent, other: EngineEvent) => [read([one]).plan, read([other]).plan];
  const creates = (type: string, to: Readonly<Record<string, unknown>>) => step("create", type, "x", { to });
  const changes = (from: object, to: object) => step("update", configMap, "x", { from: { ...from }, to: { ...to } });

  it.each([
    [
      "what is new, of which a comment has the name alone",
      creates(deployment, pod("x:1")),
      creates(deployment, pod("x:2")),
    ],
    [
      "a text that is cut",
      changes({ data: "" }, { data: `${"x".repeat(200)}1` }),
      changes({ data: "" }, { data: `${"x".repeat(200)}2` }),
    ],
    [
      "a text of many lines",
      changes({ data: "a\nb\n" }, { data: "a\nc\n" }),
      changes({ data: "a\nb\n" }, { data: "a\nd\n" }),
    ],
    [
      "one line of a text that sets a password, too",
      creates(configMap, { data: "password=changeme\na=1" }),
      creates(configMap, { data: "password=changeme\na=2" }),
    ],
    ["words in another order", creates(deployment, { args: ["a", "b"] }), creates(deployment, { args: ["b", "a"] })],
    ["where it begins", changes({ data: "1" }, { data: "3" }), changes({ data: "2" }, { data: "3" })],
    [
      "what goes",
      step("delete", configMap, "x", { from: { data: "1" } }),
      step("delete", configMap, "x", { from: { data: "2" } }),
    ],
  ])("another plan for %s", (_, one, other) => {
    const [first, second] = plans(one, other);
    expect(first).not.toBe(second);
  });

  it.each([
    [
      "keys in another order",
      creates(deployment, { a: 1, b: { c: 2, d: 3 } }),
      creates(deployment, { b: { d: 3, c: 2 }, a: 1 }),
    ],
    [
      "another way to the same database",
      creates("pulumi:providers:postgresql", { port: 1 }),
      creates("pulumi:providers:postgresql", { port: 2 }),
    ],
  ])("the same plan for %s", (_, one, other) => {
    const [first, second] = plans(one, other);
    expect(first).toBe(second);
  });

  const secretMark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  it.each([
    ["a Secret's data", "kubernetes:core/v1:Secret", (it: string) => ({ stringData: { word: it } })],
    ["what is marked", configMap, (it: string) => ({ data: { x: { ...secretMark, plaintext: it } } })],
    ["a name of that sort", deployment, (it: string) => pod("x", [{ name: "DB_PASSWORD", value: it }])],
    ["a generated word", configMap, (it: string) => ({ data: { x: `${it}ZxT4mVb81LkPwR7sYd2Aeh` } })],
    ["a URL", configMap, (it: string) => ({ data: { x: `redis://u:${it}@h:1` } })],
    ["a word after its flag", deployment, (it: string) => ({ args: ["serve", "--password", it] })],
    ["a file of settings", configMap, (it: string) => ({ data: { f: `a = 1\npassword = ${it}\nb = 2\n` } })],
    ["a document", configMap, (it: string) => ({ data: { f: `{"password":"${it}","a":1}` } })],
    ["SQL", configMap, (it: string) => ({ data: { f: `alter role a password '${it}';` } })],
    ["a list with a secret in it", deployment, (it: string) => ({ args: ["a", { ...secretMark, plaintext: it }] })],
  ])("a plan that tells nobody who tries what the secret in %s is", (_, type, inputs) => {
    const [one, other] = plans(creates(type, inputs("summer")), creates(type, inputs("winter")));
    expect(one).toBe(other);
  });
});

describe("a preview says whether the run may be", () => {
  it("clear, when nobody objects", () => {
    expect(read([judged()])).toMatchObject({ verdict: "clear", objections: [] });
  });

  it("refused by the program, with its reason and the way out", () => {
    const refusal = says("error", "10 -> 100 skips a rung\nNext: set 50\nNothing was touched.");
    const preview = read([refusal], { exitCode: 255 });
    expect(preview).toMatchObject({ verdict: "refused", objections: ["10 -> 100 skips a rung"] });
    expect(textOf(preview)).toContain("- 10 -> 100 skips a rung\n- Next: set 50\n");
  });

  it("refused by what the hook would say now", () => {
    const held = says("warning", "an `up` would refuse this now: the soak is not over; next: wait");
    expect(read([held]).verdict).toBe("refused");
  });

  it("refused by a mandatory policy, and not by an advisory one", () => {
    expect(read([finds("a", { message: "m", level: "advisory" }), judged()]).verdict).toBe("clear");
    const broken = read([finds("a", { message: "spec.x: found 1; wanted 2. Fix: write 2" }), judged()], {
      exitCode: 255,
    });
    expect(broken).toMatchObject({ verdict: "refused", objections: ["1 violation of mandatory policies: a"] });
    expect(markdownOf(broken)).toContain(
      "**mandatory** `a` on Stack golive-production: spec.x: found 1; wanted 2. Fix: write 2",
    );
  });

  it("refused by what a mandatory policy could not decide, where that is asked", () => {
    const unknown = cannotDecide("a", "", "taskflow-schema: data.result is not known before the update");
    expect(read([unknown, judged()])).toMatchObject({ verdict: "clear", policies: { violations: [] } });
    expect(markdownOf(read([unknown, judged()])).split("\n")[2]).toBe(
      "## Preview of production: nothing to object to, but mandatory policies could not be decided 1 time",
    );
    expect(read([unknown, judged()], { strict: true })).toMatchObject({
      verdict: "refused",
      objections: ["mandatory policies could not be decided 1 time: a"],
      policies: {
        undecidable: [
          {
            ...{ rule: "a", level: "mandatory", resource: "the stack" },
            message: "taskflow-schema: data.result is not known before the update",
          },
        ],
      },
    });
  });

  it.each([
    ["replace", deployment, "Deployment x would be replaced: nothing serves in between"],
    [
      "replace",
      "kubernetes:core/v1:PersistentVolumeClaim",
      "PersistentVolumeClaim x would be replaced, and what it holds is lost",
    ],
    ["replace", "kubernetes:postgresql.cnpg.io/v1:Cluster", "Cluster x would be replaced, and what it holds is lost"],
    ["replace", "postgresql:index/database:Database", "Database x would be replaced, and what it holds is lost"],
    ["delete", "kubernetes:apps/v1:StatefulSet", "StatefulSet x would be deleted, and what it holds is lost"],
    [
      "delete",
      "kubernetes:monitoring.coreos.com/v1:Alertmanager",
      "Alertmanager x would be deleted, and what it holds is lost",
    ],
    [
      "replace",
      "kubernetes:logstash.k8s.elastic.co/v1alpha1:Logstash",
      "Logstash x would be replaced, and what it holds is lost",
    ],
    ["replace", "kubernetes:kibana.k8s.elastic.co/v1:Kibana", "Kibana x would be replaced: nothing serves in between"],
    ["replace", "kubernetes:beat.k8s.elastic.co/v1beta1:Beat", "Beat x would be replaced: nothing serves in between"],
    [
      "replace",
      "kubernetes:barmancloud.cnpg.io/v1:ObjectStore",
      "ObjectStore x would be replaced: the database is not backed up in between",
    ],
    [
      "delete",
      "kubernetes:barmancloud.cnpg.io/v1:ObjectStore",
      "ObjectStore x would be deleted: the database is not backed up any more",
    ],
  ])("refused when a run would %s a %s", (op, type, objection) => {
    expect(read([step(op, type, "x")])).toMatchObject({ verdict: "refused", objections: [objection] });
  });

  it("but not when a run only lets go of what it leaves where it is, or of pods that hold nothing, as a retired colour's", () => {
    const kept = step("delete", "kubernetes:core/v1:PersistentVolumeClaim", "x", { retainOnDelete: true });
    const store = step("delete", "kubernetes:barmancloud.cnpg.io/v1:ObjectStore", "z", { retainOnDelete: true });
    const kibana = step("delete", "kubernetes:kibana.k8s.elastic.co/v1:Kibana", "y");
    expect(read([kept, store, kibana, step("delete", deployment, "y")]).verdict).toBe("clear");
    expect(markdownOf(read([kept]))).toContain("kept on the cluster");
  });

  it("refused when the engine finds something protected in its way", () => {
    const error = says("error", 'Unable to delete resource "urn:x" as it is currently marked for protection.');
    expect(read([error], { exitCode: 255 }).verdict).toBe("refused");
  });

  it("unknown, when the policy pack that was to judge it did not, whatever the engine ends with", () => {
    const run = { stack: "production", exitCode: 0, printed: "", toBeJudged: true };
    expect(readPreview({ ...run, events: [] }, asked)).toMatchObject({
      verdict: "unknown",
      objections: ["the policy pack did not judge this run: the engine does not name it among those that did"],
    });
    expect(readPreview({ ...run, events: [judged()] }, asked).verdict).toBe("clear");
  });

  it("unknown, when it could not be evaluated, and says why", () => {
    const error = says("error", "2 problems in the configuration of stack production");
    expect(read([error], { exitCode: 255 })).toMatchObject({
      verdict: "unknown",
      objections: ["2 problems in the configuration of stack production"],
      plan: undefined,
    });
    const silent = read([], { exitCode: 255, printed: "error: no such host\n" });
    expect(silent).toMatchObject({ verdict: "unknown", objections: ["error: no such host"] });
    expect(markdownOf(silent)).toContain("What else the run would do was not looked at.");
    expect(read([], { exitCode: 3 })).toMatchObject({ objections: ["the engine ended with exit code 3"] });
  });
});

describe("no preview gives a secret away", () => {
  const password = "q9ZxT4mVb81LkPwR7sYd2Aeh";
  const blinded = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "[secret]" };
  const everywhere = (events: readonly EngineEvent[]) => {
    const preview = read(events);
    return [JSON.stringify(preview), markdownOf(preview), textOf(preview)];
  };

  it.each([
    ["a Secret's data", "kubernetes:core/v1:Secret", { stringData: { word: "changeme" } }, "changeme"],
    ["a name of that sort", deployment, pod("x", [{ name: "DB_PASSWORD", value: "changeme" }]), "changeme"],
    ["a generated word, whatever its name", deployment, pod("x", [{ name: "X", value: password }]), password],
    [
      "a URL with a password in it",
      deployment,
      pod("x", [{ name: "X", value: `redis://u:${password}@h:1` }]),
      password,
    ],
    ["a short name of that sort", deployment, pod("x", [{ name: "DB_PASS", value: "changeme" }]), "changeme"],
    [
      "a name that stands twice in its list",
      deployment,
      pod("x", [
        { name: "DB_PASSWORD", value: "changeme" },
        { name: "DB_PASSWORD", value: "changeme" },
      ]),
      "changeme",
    ],
    ["a word after its flag", deployment, { spec: { args: ["serve", "--password", "changeme"] } }, "changeme"],
    ["a setting among others", deployment, { spec: { args: ["host=x password=changeme"] } }, "changeme"],
    ["a list with a secret in it", deployment, { spec: { args: ["serve", blinded] } }, "ciphertext"],
    ["a ConfigMap's text", "kubernetes:core/v1:ConfigMap", { data: { f: `a = 1\nb = ${password}\n` } }, password],
  ])("in %s", (_, type, to, secret) => {
    const events = [step("update", type, "x", { from: {}, to }), step("create", type, "y", { to })];
    for (const text of everywhere(events)) {
      expect(text).not.toContain(secret);
      expect(text).toContain("x");
    }
  });

  it("but says that a secret changes, which reads the same before and after", () => {
    const state = { metadata: { name: "x" }, stringData: blinded };
    const changed = step("update", "kubernetes:core/v1:Secret", "x", { from: state, to: state, diffs: ["stringData"] });
    for (const text of everywhere([changed])) expect(text).not.toContain("ciphertext");
    expect(markdownOf(read([changed]))).toContain("`stringData` changes (secret)");
  });

  it("in what the program, the engine or a rule says", () => {
    const said = [
      says("warning", `could not reach postgresql://u:${password}@db/x`),
      finds("a", { message: `found ${password}`, level: "advisory" }),
      judged(),
    ];
    for (const text of everywhere(said)) expect(text).not.toContain(password);
  });

  it("while the name of a Secret that a variable is read from is shown", () => {
    const valueFrom = { secretKeyRef: { name: "taskflow-green", key: "DATABASE_URL" } };
    const to = pod("x", [{ name: "DB_PASSWORD", valueFrom }]);
    expect(markdownOf(read([step("update", deployment, "x", { from: pod("x"), to })]))).toContain("`taskflow-green`");
  });

  it("while digests, versions and host names are shown", () => {
    const image = `registry.example.com/taskflow-backend:v1.1.0@sha256:${"0a".repeat(32)}`;
    expect(read([step("update", deployment, "x", { from: pod("a:1"), to: pod(image) })]).changes[0]?.fields).toEqual([
      expect.objectContaining({ from: "a:1", to: expect.stringContaining("taskflow-backend:v1.1.0@sha256:0a0a") }),
    ]);
  });
});

describe("a comment", () => {
  it("is not broken by what others write into it", () => {
    const words = "x`](http://a)\r# y <!-- @team";
    const changed = step("update", deployment, words, { from: pod(""), to: pod("a\r\n# b") });
    const text = markdownOf(read([changed, says("warning", words), judged()]));
    expect(text).not.toMatch(/\r|^# |``|[^\\]<!--(?! golive preview)|[^\\`]`\]|\W@team/m);
    expect(text).toContain("(empty) → `(2 lines)`");
  });

  const many = Array.from({ length: 400 }, (_, index) =>
    step("update", deployment, `service-${String(index).padStart(3, "0")}`, { from: pod("x:1"), to: pod("x:2") }),
  );

  it("over the limit is cut between resources, says how many are left out, and keeps what matters", () => {
    const broken = finds("a", { message: "m" });
    const text = markdownOf(read([...many, broken, judged()], { exitCode: 255 }), 8_000);
    expect(text.length).toBeLessThanOrEqual(8_000);
    const shown = text.match(/Deployment service-\d+\*\*\n {2}- `spec/g)?.length ?? 0;
    expect(shown).toBeGreaterThan(10);
    expect(text).toContain(
      `- … and ${400 - shown} more, left out for length; all of it: \`./golive preview --stack production\``,
    );
    expect(text).toContain("**Changed: 400**");
    expect(text).toContain("**mandatory** `a`");
    expect(markdownOf(read(many)).length).toBeLessThan(65_536);
  });

  it("is uncut when it fits, and in a terminal always", () => {
    expect(markdownOf(read(many.slice(0, 20)))).not.toContain("left out");
    expect(textOf(read(many))).toContain("Deployment service-399");
  });

  it("says more than eight fields of one resource only in number", () => {
    const labels = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`l${index}`, "x"]));
    const changed = step("update", deployment, "x", { from: {}, to: { metadata: { labels } } });
    expect(markdownOf(read([changed]))).toContain("  - and 3 more fields\n");
  });

  it("folds the names of a stack that begins, and shows those of a few new resources", () => {
    const fresh = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        step("create", deployment, `x${index}`, { component: ["golive:a:Colour", `c${index}`] }),
      );
    expect(markdownOf(read(fresh(6)))).toContain("<details><summary>New: 6, in 6 components</summary>");
    expect(markdownOf(read(fresh(2)))).toContain("**New: 2**\n- Colour c0: Deployment x0\n");
  });

  it("takes nobody's words for Markdown, and calls nobody", () => {
    const text = markdownOf(read([says("warning", "changes blue in place: **fine** <!-- `x` [y](z) @ops")]));
    expect(text).toContain("changes blue in place: \\*\\*fine\\*\\* \\<!-- \\`x\\` \\[y](z) @\u200bops");
  });
});
