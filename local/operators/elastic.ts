import { join } from "node:path";
import { kubectl } from "../cluster/api.ts";
import { moduleDirectory } from "../go/build.ts";

const types = ["elasticsearches.elasticsearch", "kibanas.kibana", "logstashes.logstash", "beats.beat"];

/** The types of ECK without the operator: enough for an API server to take what staging and production declare. */
export async function installElasticTypes(): Promise<void> {
  await kubectl(["apply", "--server-side", "--force-conflicts", "--filename", await manifest()]);
  const crds = types.map((type) => `crd/${type}.k8s.elastic.co`);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...crds]);
}

export async function removeElasticTypes(): Promise<void> {
  await kubectl(["delete", "--ignore-not-found", "--filename", await manifest()]);
}

async function manifest(): Promise<string> {
  const module = await moduleDirectory("elastic", "github.com/elastic/cloud-on-k8s/v3");
  return join(module, "config", "crds", "v1", "all-crds.yaml");
}
