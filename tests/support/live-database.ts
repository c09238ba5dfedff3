import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import pg from "pg";
import { openPortForward } from "../../components/database/port-forward.ts";
import { places } from "../../local/places.ts";
import { core, namespace } from "./live-cluster.ts";

/** Rows of one statement, as the superuser of stack local's server: what a test does behind golive's back. */
export async function query(sql: string, database = "taskflow"): Promise<readonly Record<string, unknown>[]> {
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const forward = await openPortForward(config, { namespace, pod: "postgres-0", port: 5432, localPort: 0 });
  const { port } = forward.address() as AddressInfo;
  const { data } = await core.readNamespacedSecret({ namespace, name: "postgres" });
  const password = Buffer.from(data?.["admin-password"] ?? "", "base64").toString();
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", password, database });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
    forward.close();
  }
}
