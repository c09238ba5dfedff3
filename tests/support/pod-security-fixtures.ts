import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { moduleDirectory } from "../../local/go/build.ts";

export const standards = ["baseline", "restricted"] as const;
export type Standard = (typeof standards)[number];

/** One Pod that breaks one check of a standard, or none. */
export interface PodCase {
  /** `restricted/v1.37/fail/runasnonroot2.yaml` */
  readonly file: string;
  /** Id of the check that it breaks, in lower case; undefined for one that passes. */
  readonly breaks: string | undefined;
  readonly pod: Pod;
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

let directory: Promise<string> | undefined;

/** Kubernetes' own cases of its Pod Security Standards: got with `go mod download` when they are needed, never committed. */
function testdata(): Promise<string> {
  directory ??= moduleDirectory("pod-security", "k8s.io/pod-security-admission").then((module) =>
    join(module, "test", "testdata"),
  );
  return directory;
}

/** All cases of one standard at one version: those that must be refused, and those that must pass. */
export async function podCases(standard: Standard, minor: number): Promise<readonly PodCase[]> {
  const directory = await testdata();
  const cases = ["fail", "pass"].map(async (outcome) => {
    const folder = `${standard}/v1.${minor}/${outcome}`;
    const names = await readdir(join(directory, folder));
    return Promise.all(
      names.toSorted().map(async (name): Promise<PodCase> => {
        const file = `${folder}/${name}`;
        const pod = parse(await readFile(join(directory, file), "utf8")) as Pod;
        return { file, breaks: outcome === "fail" ? name.replace(/\d+\.yaml$/, "") : undefined, pod };
      }),
    );
  });
  return (await Promise.all(cases)).flat();
}

/** The same pod in each kind of workload that a program may declare it in. */
export const wrappings: Readonly<Record<string, (pod: Pod) => object>> = {
  Pod: (pod) => ({ apiVersion: "v1", kind: "Pod", ...pod }),
  Deployment: (pod) => workload("apps/v1", "Deployment", pod, { template: pod }),
  StatefulSet: (pod) => workload("apps/v1", "StatefulSet", pod, { template: pod }),
  DaemonSet: (pod) => workload("apps/v1", "DaemonSet", pod, { template: pod }),
  Job: (pod) => workload("batch/v1", "Job", pod, { template: pod }),
  CronJob: (pod) => workload("batch/v1", "CronJob", pod, { jobTemplate: { spec: { template: pod } } }),
};

function workload(apiVersion: string, kind: string, { metadata: { name } }: Pod, spec: object): object {
  return { apiVersion, kind, metadata: { name, namespace: "production" }, spec };
}
