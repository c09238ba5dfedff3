import { randomBytes } from "node:crypto";
import type { V1CronJob, V1Job } from "@kubernetes/client-node";
import { Failure } from "../failure.ts";

/** The suspended CronJob that every stack with a PostgreSQL has: a pod template with the database programs, and no schedule. */
export const toolsName = "postgres-tools";

/** What one Job is to do. */
export interface Task {
  /** The word of the program: `status`, `backup`, … */
  readonly command: string;
  readonly args: readonly string[];
  /** Seconds after which the cluster ends it. */
  readonly seconds: number;
}

/** Seconds for which a Job that nobody could delete stays after its end. */
const keptSeconds = 600;

/**
 * A Job made of the tools' template for one command, as `kubectl create job --from=cronjob/postgres-tools` makes it, but for the
 * arguments. It tries once: a command that failed is for a person to look at.
 */
export function jobFrom(cronJob: V1CronJob, { command, args, seconds }: Task): V1Job {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  const [container, ...others] = spec?.template.spec?.containers ?? [];
  if (spec === undefined || container === undefined) {
    throw new Failure(`CronJob ${toolsName}: its template has no container; a pulumi up puts it right`);
  }
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${toolsName}-${command}-${randomBytes(3).toString("hex")}`,
      labels: { ...metadata?.labels },
      annotations: { ...metadata?.annotations, "cronjob.kubernetes.io/instantiate": "manual" },
      // Whoever deletes the CronJob (a pulumi destroy) takes the Jobs with it.
      ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: toolsName, uid: cronJob.metadata?.uid ?? "" }],
    },
    spec: {
      ...spec,
      backoffLimit: 0,
      activeDeadlineSeconds: seconds,
      ttlSecondsAfterFinished: keptSeconds,
      template: {
        ...spec.template,
        spec: { ...spec.template.spec, containers: [{ ...container, args: [command, "--json", ...args] }, ...others] },
      },
    },
  };
}
