import { isProperties, type Properties, reveal } from "../rpc/properties.ts";
import { type Naming, withName, withOldName } from "./autoname.ts";
import { type KubeObject, withAt } from "./json.ts";
import { normalize } from "./normalize.ts";
import { markSecrets } from "./secrets.ts";

/** What a check needs to know beside the inputs. */
export interface CheckContext {
  /** The resource's logical name, which an object without a name is named after. */
  readonly resourceName: string;
  readonly naming: Naming;
  /** The namespace for objects that name none; asked for only then. Undefined for a kind that has no namespaces. */
  readonly namespace: () => Promise<string | undefined>;
}

/** The inputs as they will be sent: named, in a namespace, in the cluster's own form, secrets marked. */
export async function check(olds: Properties, news: Properties, context: CheckContext): Promise<Properties> {
  const normal = normalize(reveal(news) as KubeObject);
  const isNew = Object.keys(olds).length === 0;
  const named = isNew
    ? withName(normal, context.resourceName, context.naming)
    : withOldName(normal, reveal(olds) as KubeObject);
  const placed = await inNamespace(named, context);
  return markSecrets(placed, news);
}

async function inNamespace(object: KubeObject, { namespace }: CheckContext): Promise<KubeObject> {
  const metadata = object.metadata;
  const given = isProperties(metadata) ? metadata.namespace : undefined;
  if (given !== undefined && given !== "") return object;
  const usual = await namespace();
  return usual === undefined ? object : withAt(object, ["metadata", "namespace"], usual);
}
