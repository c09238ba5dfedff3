import { CoreV1Api, type KubeConfig, PatchStrategy, setHeaderOptions, type V1ConfigMap } from "@kubernetes/client-node";
import type { AppliedMigration } from "../../programs/database/migrations/plan.ts";
import { readRecord, recordData, recordName } from "../../rollout/schema/schema-record.ts";
import { Failure } from "../failure.ts";
import { explained, unlessAbsent } from "./cluster.ts";
import type { DatabaseStack } from "./stack.ts";

/** What a restore brought back, as its program tells it. */
export interface Restored {
  /** The backup's name. */
  readonly file: string;
  /** The migrations that the restored database has: file name to "<phase> <checksum>", as in the record. */
  readonly ledger: Readonly<Record<string, string>>;
}

/** Reads what a restore's program told. A Failure says what is missing: without it the record would go on telling the old schema. */
export function restoredOf(result: Readonly<Record<string, unknown>> | undefined): Restored {
  const { file, ledger } = result ?? {};
  const isLedger =
    typeof ledger === "object" && ledger !== null && Object.values(ledger).every((each) => typeof each === "string");
  if (typeof file === "string" && isLedger) return { file, ledger: ledger as Restored["ledger"] };
  throw new Failure(
    "the restore is done, but its program did not tell which migrations the restored database has, so the record of the schema is as before. " +
      "Put it right by hand: golive database status lists what is applied, docs/operations/database.md says where",
  );
}

/**
 * The record's data after a restore: the restored database's ledger, and a text that is new, so that the next `pulumi up` plans
 * from there and migrates again. What a contract migration made unable to serve stays known.
 */
export function recordAfterRestore(
  data: Readonly<Record<string, string>>,
  { file, ledger }: Restored,
  at: Date,
): Readonly<Record<string, string>> {
  const applied: readonly AppliedMigration[] = readRecord(ledger, "the ledger of the restored database").applied;
  const { outdated } = readRecord(data);
  return recordData({
    applied,
    job: undefined,
    result: undefined,
    restored: `${file} at ${at.toISOString()}`,
    outdated,
  });
}

/** Writes the record of the schema after a restore. False: there is no record, as no `pulumi up` has made one yet. */
export async function recordRestore(config: KubeConfig, stack: DatabaseStack, restored: Restored): Promise<boolean> {
  const core = config.makeApiClient(CoreV1Api);
  const { namespace } = stack;
  const name = recordName(stack.application);
  const server = config.getCurrentCluster()?.server ?? "of an unknown address";
  return explained(`write ConfigMap ${name} in namespace ${namespace}`, server, async () => {
    const live = await unlessAbsent(core.readNamespacedConfigMap({ namespace, name }));
    if (live === undefined) return false;
    const data = recordAfterRestore(live.data ?? {}, restored, new Date());
    const owner = ownerOf(live);
    if (owner === undefined) {
      // Nobody applied it: keys that are gone are named, or the merge would keep them.
      const gone = Object.keys(live.data ?? {}).filter((key) => !(key in data));
      const body = { data: { ...data, ...Object.fromEntries(gone.map((key) => [key, null])) } };
      await core.patchNamespacedConfigMap(
        { namespace, name, body },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      );
    } else {
      // In the owner's own name: under another one, the next pulumi up would meet a conflict over these fields.
      const { labels, annotations } = live.metadata ?? {};
      const metadata = { name, namespace, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
      await core.patchNamespacedConfigMap(
        {
          namespace,
          name,
          body: { apiVersion: "v1", kind: "ConfigMap", metadata, data },
          fieldManager: owner,
          force: true,
        },
        setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
      );
    }
    return true;
  });
}

/** Who keeps the data by server-side apply: Pulumi's provider, under a name of its own for each resource. */
export function ownerOf({ metadata }: V1ConfigMap): string | undefined {
  return metadata?.managedFields?.find(
    ({ operation, fieldsV1 }) => operation === "Apply" && fieldsV1 !== undefined && "f:data" in fieldsV1,
  )?.manager;
}
