import type { V1CronJob, V1Job, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { type ToolCluster, Unreachable } from "../../cli/database/cluster.ts";
import { jobFrom } from "../../cli/database/job.ts";
import { podState } from "../../cli/database/pod.ts";
import { runTask } from "../../cli/database/run.ts";
import type { Progress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { failureOf } from "../support/failure.ts";

const template: V1CronJob = {
  metadata: { name: "postgres-tools", uid: "cron-uid" },
  spec: {
    schedule: "0 0 31 2 *",
    suspend: true,
    jobTemplate: {
      metadata: { labels: { app: "taskflow" }, annotations: { "golive/files": "7" } },
      spec: {
        backoffLimit: 3,
        template: {
          metadata: { labels: { app: "taskflow" } },
          spec: {
            restartPolicy: "Never",
            containers: [
              {
                name: "tools",
                image: "postgres:15",
                command: ["/runtime/node", "/programs/database.mjs"],
                args: ["status"],
              },
            ],
          },
        },
      },
    },
  },
};
const task = { command: "backup", args: ["--x"], seconds: 3600 };
type Status = NonNullable<V1Pod["status"]>;
const podWith = (status: Status): V1Pod => ({ metadata: { name: "pod-1", uid: "pod-uid" }, status });
const main = (state: NonNullable<Status["containerStatuses"]>[number]["state"], image = "postgres:15"): Status => ({
  phase: "Pending",
  containerStatuses: [
    { name: "tools", image, imageID: "", ready: false, restartCount: 0, ...(state ? { state } : {}) },
  ],
});
const ended = (exitCode: number, message?: string, reason = "Error") =>
  podWith(main({ terminated: { exitCode, reason, ...(message === undefined ? {} : { message }) } }));
const running = podWith(main({ running: {} }));
const notScheduled: Status = {
  phase: "Pending",
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" }],
};

describe("the Job of a command", () => {
  it("is the tools' template with the command's arguments, tried once, and kept no longer than needed", () => {
    const job = jobFrom(template, task);
    const name = job.metadata?.name ?? "";
    expect(name).toMatch(/^postgres-tools-backup-[0-9a-f]{6}$/);
    expect(job).toEqual({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        labels: { app: "taskflow" },
        annotations: { "golive/files": "7", "cronjob.kubernetes.io/instantiate": "manual" },
        ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "postgres-tools", uid: "cron-uid" }],
      },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: 3600,
        ttlSecondsAfterFinished: 600,
        template: {
          metadata: { labels: { app: "taskflow" } },
          spec: {
            restartPolicy: "Never",
            containers: [
              {
                name: "tools",
                image: "postgres:15",
                command: ["/runtime/node", "/programs/database.mjs"],
                args: ["backup", "--json", "--x"],
              },
            ],
          },
        },
      },
    });
  });

  it("is not made of a template without a container", () => {
    const spec = { schedule: "0 0 31 2 *" };
    expect(failureOf(() => jobFrom({ ...template, spec: { ...spec, jobTemplate: {} } }, task))).toEqual({
      message: "CronJob postgres-tools: its template has no container; a pulumi up puts it right",
      exitCode: 1,
    });
  });
});

describe("the state of its pod", () => {
  it.each<[string, Status, unknown]>([
    ["waits at first", { phase: "Pending" }, { kind: "waiting", obstacle: undefined }],
    [
      "waits while its container is made",
      main({ waiting: { reason: "ContainerCreating" } }),
      { kind: "waiting", obstacle: undefined },
    ],
    [
      "waits for a node",
      notScheduled,
      { kind: "waiting", obstacle: "pod pod-1 is not scheduled: 0/1 nodes are available" },
    ],
    [
      "waits for an image",
      main({ waiting: { reason: "ImagePullBackOff", message: "Back-off pulling image" } }, "postgres:99"),
      {
        kind: "waiting",
        obstacle: "pod pod-1: the image postgres:99 cannot be pulled (ImagePullBackOff: Back-off pulling image)",
      },
    ],
    [
      "waits for a Secret",
      main({ waiting: { reason: "CreateContainerConfigError", message: 'secret "taskflow-database" not found' } }),
      {
        kind: "waiting",
        obstacle: 'pod pod-1, container tools: CreateContainerConfigError: secret "taskflow-database" not found',
      },
    ],
    ["runs", main({ running: {} }), { kind: "running" }],
    ["ended well", main({ terminated: { exitCode: 0 } }), { kind: "ended", exitCode: 0, message: "" }],
    [
      "ended with its last words",
      main({ terminated: { exitCode: 1, message: "no space for the backup\n" } }),
      { kind: "ended", exitCode: 1, message: "no space for the backup" },
    ],
    [
      "ended for want of memory",
      main({ terminated: { exitCode: 137, reason: "OOMKilled" } }),
      { kind: "ended", exitCode: 137, message: "it was ended because it needed more memory than its limit" },
    ],
    [
      "was evicted",
      { phase: "Failed", reason: "Evicted", message: "The node was low on resource: ephemeral-storage." },
      { kind: "ended", exitCode: 1, message: "Evicted: The node was low on resource: ephemeral-storage." },
    ],
    [
      "ended before its command, in an init container",
      {
        phase: "Failed",
        initContainerStatuses: [
          {
            name: "runtime",
            image: "node:24",
            imageID: "",
            ready: false,
            restartCount: 0,
            state: { terminated: { exitCode: 1, message: "cp: no space left\n" } },
          },
        ],
      },
      { kind: "ended", exitCode: 1, message: "its init container runtime ended with exit code 1: cp: no space left" },
    ],
  ])("%s", (_, status, state) => {
    expect(podState(podWith(status))).toEqual(state);
  });
});

type Story = readonly { readonly pod?: V1Pod | Error; readonly log?: string }[];
interface Words {
  readonly template?: V1CronJob | undefined;
  readonly warning?: string;
  readonly ending?: string;
}

/** A cluster that tells one story: what each look at the pod finds, and the log at that moment. */
class StoryCluster implements ToolCluster {
  readonly removed: string[] = [];
  /** Resolves when its pod was seen. */
  readonly looked = Promise.withResolvers<void>();
  created: V1Job | undefined;
  #look = 0;
  readonly #story: Story;
  readonly #words: Words;

  constructor(story: Story, words: Words = {}) {
    this.#story = story;
    this.#words = words;
  }

  get #now() {
    return this.#story[Math.min(this.#look, this.#story.length) - 1];
  }

  template = async () => ("template" in this.#words ? this.#words.template : template);
  create = async (job: V1Job) => {
    this.created = job;
    return { ...job, metadata: { ...job.metadata, uid: "job-uid" } };
  };
  pod = async () => {
    this.#look++;
    const pod = this.removed.length > 0 ? undefined : this.#now?.pod;
    if (pod instanceof Error) throw pod;
    if (pod !== undefined) this.looked.resolve();
    return pod;
  };
  log = async () => this.#now?.log ?? "";
  ending = async () => this.#words.ending ?? "its pod is gone";
  warning = async (uid: string) => (uid === "job-uid" || uid === "pod-uid" ? this.#words.warning : undefined);
  remove = async (job: string) => void this.removed.push(job);
}

describe("a command in the cluster", () => {
  const run = (cluster: StoryCluster, patienceSeconds = 60) => {
    const lines: string[] = [];
    const progress: Progress = { note: (line) => void lines.push(line), stage: (_, work) => work(progress) };
    const session = new Session(progress);
    const finished = runTask(cluster, task, { namespace: "local", session, progress, patienceSeconds, everyMs: 1 });
    return { finished, lines, session };
  };

  it("tells each line once, gives the result, and leaves no Job", async () => {
    const cluster = new StoryCluster([
      {},
      { pod: podWith({ phase: "Pending" }) },
      { pod: running, log: "dumping\nver" },
      { pod: running, log: "dumping\nverified\n" },
      { pod: ended(0), log: 'dumping\nverified\n{"file":"a.dump","bytes":3}\n' },
    ]);
    const { finished, lines, session } = run(cluster);
    expect(await finished).toEqual({ exitCode: 0, message: "", result: { file: "a.dump", bytes: 3 } });
    expect(lines).toEqual(["dumping", "verified"]);
    expect(cluster.removed).toEqual([cluster.created?.metadata?.name]);
    expect(session.pending).toEqual([]);
  });

  it("takes the result from the last words when the log has none", async () => {
    const { finished } = run(new StoryCluster([{ pod: ended(0, '{"version":"013"}'), log: "done\n" }]));
    expect(await finished).toEqual({ exitCode: 0, message: "", result: { version: "013" } });
  });

  it("that fails tells its problem once, as the error", async () => {
    const cluster = new StoryCluster([{ pod: ended(1, "no space\nfree some"), log: "dumping\nno space\nfree some\n" }]);
    const { finished, lines } = run(cluster);
    expect(await finished).toEqual({ exitCode: 1, message: "no space\nfree some", result: undefined });
    expect(lines).toEqual(["dumping"]);
    expect(cluster.removed).toHaveLength(1);
  });

  it("that fails without a word tells what it printed last", async () => {
    const { finished } = run(new StoryCluster([{ pod: ended(1), log: "dumping\nSyntaxError: x\n" }]));
    expect(await finished).toMatchObject({ exitCode: 1, message: "SyntaxError: x" });
  });

  it("may find something wanting, and tell it as a result", async () => {
    const { finished } = run(new StoryCluster([{ pod: ended(1, "2 checks do not hold"), log: '{"checks":[]}\n' }]));
    expect(await finished).toEqual({ exitCode: 1, message: "2 checks do not hold", result: { checks: [] } });
  });

  it("goes on when the cluster is out of sight for a moment", async () => {
    const gone = new Unreachable("the cluster at s does not answer: ECONNRESET", 2);
    const cluster = new StoryCluster([
      { pod: running, log: "a\n" },
      { pod: gone },
      { pod: gone },
      { pod: ended(0), log: "a\nb\n" },
    ]);
    const { finished, lines } = run(cluster);
    expect(await finished).toMatchObject({ exitCode: 0 });
    expect(lines).toEqual(["a", "the cluster at s does not answer: ECONNRESET", "b"]);
  });

  it.each<[string, StoryCluster, string]>([
    [
      "is not scheduled",
      new StoryCluster([{ pod: podWith(notScheduled) }]),
      "pod pod-1 is not scheduled: 0/1 nodes are available",
    ],
    [
      "has no pod, as a quota forbids it",
      new StoryCluster([{}], { warning: "exceeded quota: pods" }),
      "exceeded quota: pods",
    ],
    ["has no pod, and nobody says why", new StoryCluster([{}]), "the cluster has made no pod for it"],
    [
      "waits for a volume",
      new StoryCluster([{ pod: podWith(main({ waiting: { reason: "ContainerCreating" } })) }], {
        warning: "FailedMount: no volume",
      }),
      "FailedMount: no volume",
    ],
  ])("that %s for too long fails with the reason", async (_, cluster, reason) => {
    const { finished, session } = run(cluster, 0);
    const { message } = await failureOf(() => finished);
    const name = cluster.created?.metadata?.name;
    expect(message).toBe(`${name}: for 0 s now, ${reason}. Put that right and start again`);
    await session.end();
    expect(cluster.removed).toEqual([name]);
  });

  it("whose Job is ended from outside fails with what the cluster says", async () => {
    const words = { ending: "DeadlineExceeded: Job was active longer than specified deadline" };
    const cluster = new StoryCluster([{ pod: running }, {}], words);
    expect((await failureOf(() => run(cluster).finished)).message).toBe(
      `${cluster.created?.metadata?.name} was ended: DeadlineExceeded: Job was active longer than specified deadline`,
    );
  });

  it("is refused where the stack is not up", async () => {
    const cluster = new StoryCluster([], { template: undefined });
    expect(await failureOf(() => run(cluster).finished)).toEqual({
      message:
        "no CronJob postgres-tools in namespace local: the stack is not up there, or has no PostgreSQL. Bring it up: golive pulumi up",
      exitCode: 2,
    });
  });

  it("that is stopped on the way leaves no Job", async () => {
    const cluster = new StoryCluster([{ pod: running }]);
    const { finished, session } = run(cluster);
    await cluster.looked.promise;
    expect(session.pending).toEqual([expect.stringMatching(/^delete the Job postgres-tools-backup-/)]);
    await session.end();
    expect(cluster.removed).toHaveLength(1);
    expect((await failureOf(() => finished)).message).toMatch(/ was ended: its pod is gone$/);
  });
});
