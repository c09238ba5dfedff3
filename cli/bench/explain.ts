/** One node of a plan as EXPLAIN (FORMAT JSON) has it, as far as it is read. */
export interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly Plans?: readonly PlanNode[];
}

/** What a plan reads. */
export interface PlanReads {
  /** By name, in the order of the plan, each once. */
  readonly indexes: readonly string[];
  /** Tables that are read from end to end. */
  readonly wholeTables: readonly string[];
}

export function readsOf(root: PlanNode): PlanReads {
  const nodes = all(root);
  return {
    indexes: [...new Set(nodes.flatMap((node) => node["Index Name"] ?? []))],
    wholeTables: [
      ...new Set(nodes.flatMap((node) => (node["Node Type"] === "Seq Scan" ? (node["Relation Name"] ?? []) : []))),
    ],
  };
}

const all = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)];

/** What is wrong with a plan on tables of which these are big; undefined: nothing. A small table is best read whole. */
export function planProblem({ indexes, wholeTables }: PlanReads, bigTables: readonly string[]): string | undefined {
  const whole = wholeTables.filter((table) => bigTables.includes(table));
  if (whole.length > 0) return `reads ${whole.join(", ")} from end to end`;
  return indexes.length === 0 ? "uses no index" : undefined;
}
