import { listOf, type Tree, textsOf, treeOf } from "../manifest.ts";
import type { Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";

export interface PlacedGrant {
  readonly path: string;
  /** One entry of a role's `rules`. */
  readonly grant: Tree;
}

/** What a Role or a ClusterRole allows; nothing for anything else. */
export function grantsOf(subject: Subject): readonly PlacedGrant[] {
  if (!["Role", "ClusterRole"].includes(kindOf(subject) ?? "")) return [];
  return listOf(subject.object.rules).map((grant, index) => ({ path: `rules[${index}]`, grant: treeOf(grant) }));
}

/** Whether a grant allows one of these verbs on one of these resources; a wildcard allows all. */
export const allows = (grant: Tree, verbs: readonly string[], resources: readonly string[]): boolean =>
  meets(grant.verbs, verbs) && meets(grant.resources, resources);

const meets = (granted: unknown, wanted: readonly string[]): boolean =>
  textsOf(granted).some(
    (each) => each === "*" || wanted.includes(each) || wanted.includes(`${each.split("/", 1)[0]}/*`),
  );
