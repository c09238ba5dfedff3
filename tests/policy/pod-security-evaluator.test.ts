import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Progress } from "../../cli/progress.ts";
import { binariesOf, goBuild } from "../../local/go/build.ts";
import { run } from "../../local/run.ts";
import { judgeAll } from "../../policies/judge.ts";
import { newestMinor, oldestMinor } from "../../policies/pod-security/check.ts";
import { podSecurity } from "../../policies/pod-security/standards.ts";
import { subjectOfManifest } from "../../policies/subject.ts";

const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };

/** A field that is absent, null or one of these. */
const maybe = (...values: readonly unknown[]) => fc.constantFrom(undefined, undefined, null, ...values);

const profileTypes = ["RuntimeDefault", "Localhost", "Unconfined"].map((type) => ({ type }));
const seLinux = [
  {},
  { type: "container_t" },
  { type: "container_engine_t" },
  { type: "spc_t" },
  { user: "u" },
  { role: "r" },
];

/** What a pod and a container may both say. */
const shared = {
  runAsNonRoot: maybe(true, true, false),
  runAsUser: maybe(0, 1000),
  seccompProfile: maybe(...profileTypes),
  appArmorProfile: maybe(...profileTypes),
  seLinuxOptions: maybe(...seLinux),
  windowsOptions: maybe({}, { hostProcess: true }, { hostProcess: false }, { runAsUserName: "web" }),
};

const containerSecurity = fc.record({
  ...shared,
  privileged: maybe(true, false),
  allowPrivilegeEscalation: maybe(true, false, false),
  procMount: maybe("Default", "Unmasked"),
  capabilities: maybe(
    {},
    { drop: ["ALL"] },
    { drop: ["NET_RAW"] },
    { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    { drop: ["ALL"], add: ["CHOWN"] },
    { add: ["SYS_ADMIN"] },
  ),
});

const handlers = maybe(
  { httpGet: { port: 80 } },
  { httpGet: { port: 80, host: "" } },
  { httpGet: { port: 80, host: "10.0.0.1" } },
  { tcpSocket: { port: 80, host: "10.0.0.1" } },
  { exec: { command: ["true"] } },
);

const containers = (name: string, most: number) =>
  fc
    .array(
      fc.record({
        securityContext: fc.option(containerSecurity),
        ports: maybe(
          [],
          [{ containerPort: 80 }],
          [{ containerPort: 80, hostPort: 0 }],
          [{ containerPort: 80, hostPort: 80 }],
        ),
        livenessProbe: handlers,
        startupProbe: handlers,
        lifecycle: fc.option(fc.record({ preStop: handlers, postStart: handlers })),
      }),
      { maxLength: most },
    )
    .map((list) => list.map((container, index) => ({ name: `${name}${index}`, ...container })));

const annotations = fc.constantFrom(
  {},
  { "container.apparmor.security.beta.kubernetes.io/web0": "unconfined" },
  { "container.apparmor.security.beta.kubernetes.io/web0": "localhost/web" },
  { "container.apparmor.security.beta.kubernetes.io/web0": null },
  { "container.apparmor.security.beta.kubernetes.io/gone": "runtime/default" },
);

const volumes = fc.subarray([
  { name: "a", emptyDir: {} },
  { name: "b", hostPath: { path: "/" } },
  { name: "c", nfs: { server: "10.0.0.1", path: "/" } },
  { name: "d", csi: { driver: "d" }, hostPath: null },
  { name: "e", projected: { sources: [] } },
]);

const sysctls = fc.subarray(
  [
    "kernel.msgmax",
    "kernel.shm_rmid_forced",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_notsent_lowat",
    "net.core.somaxconn",
  ].map((name) => ({ name, value: "1" })),
);

const pods = fc.record({
  metadata: annotations.map((values) => ({ name: "web", annotations: values })),
  spec: fc.record({
    securityContext: fc.option(fc.record({ ...shared, sysctls })),
    initContainers: containers("first", 1),
    containers: containers("web", 2),
    ephemeralContainers: containers("debug", 1),
    hostNetwork: maybe(true, false),
    hostPID: maybe(true, false),
    hostIPC: maybe(true, false),
    hostUsers: maybe(true, false),
    os: maybe({ name: "linux" }, { name: "windows" }),
    volumes,
  }),
});

describe("a pod that nobody thought of", () => {
  beforeAll(() => goBuild("pod-security", silent), 5 * 60_000);

  it("breaks the same checks here as in Kubernetes' own code, at every version, ephemeral containers included", async () => {
    const minors = fc.integer({ min: oldestMinor, max: newestMinor });
    const questions = fc.sample(fc.record({ minor: minors, pod: pods }), { numRuns: 4000, seed: 37 });
    const [binary = ""] = binariesOf("pod-security");
    const answers = await run(binary, [], { input: questions.map((each) => `${JSON.stringify(each)}\n`).join("") });
    const theirs = answers
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as string[]).toSorted());
    const wrong = questions.flatMap(({ minor, pod }, index) => {
      const subject = subjectOfManifest({ apiVersion: "v1", kind: "Pod", ...pod });
      const surroundings = { environment: "production", podSecurityMinor: minor } as const;
      const ours = [...new Set(judgeAll([subject], podSecurity, surroundings).map(({ rule }) => rule.id))].toSorted();
      const same = JSON.stringify(ours) === JSON.stringify(theirs[index]);
      return same ? [] : [{ minor, ours, theirs: theirs[index], pod: JSON.stringify(pod) }];
    });
    console.log(
      `Pod Security: ${questions.length} generated pods, ${wrong.length} disagreements with Kubernetes' own code`,
    );
    expect(wrong.slice(0, 3)).toEqual([]);
    // A check that no generated pod breaks, or that all of them break, was not compared.
    const share = (id: string) => theirs.filter((ids) => ids.includes(id)).length / theirs.length;
    const compared = podSecurity.filter(({ id }) => share(id) > 0.01 && share(id) < 0.99);
    expect(compared).toEqual(podSecurity);
  });
});
