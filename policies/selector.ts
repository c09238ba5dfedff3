import { listOf, type Tree, textsOf, treeOf, treesOf } from "./manifest.ts";

/** Whether a label selector of Kubernetes takes these labels; an empty one takes all, an operator it does not know none. */
export function selects(selector: unknown, labels: Tree): boolean {
  const { matchLabels, matchExpressions } = treeOf(selector);
  return (
    takesAll(matchLabels, labels) &&
    listOf(treesOf(matchExpressions)).every((expression) => takes(treeOf(expression), labels))
  );
}

/** Whether labels have all of these values: the plain selector of a Service. */
export const takesAll = (wanted: unknown, labels: Tree): boolean =>
  Object.entries(treeOf(wanted)).every(([key, value]) => labels[key] === value);

function takes({ key, operator, values }: Tree, labels: Tree): boolean {
  const has = labels[String(key)];
  const among = textsOf(values).some((value) => value === has);
  switch (operator) {
    case "In":
      return among;
    case "NotIn":
      return !among;
    case "Exists":
      return has !== undefined;
    case "DoesNotExist":
      return has === undefined;
    default:
      return false;
  }
}
