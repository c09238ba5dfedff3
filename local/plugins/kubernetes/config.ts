import { isDeepStrictEqual } from "node:util";
import { containsUnknown, type Properties, reveal } from "../rpc/properties.ts";
import { activeCluster, type ClusterChoice } from "./kubeconfig.ts";

/** What a provider is configured to do. */
export interface Config extends ClusterChoice {
  /** The namespace of objects that name none. */
  readonly namespace: string | undefined;
  readonly configMapMutable: boolean;
  readonly secretMutable: boolean;
  readonly patchForce: boolean;
  readonly upsert: boolean;
  readonly deleteUnreachable: boolean;
}

const understood = new Set([
  "kubeconfig",
  "context",
  "cluster",
  "namespace",
  "clusterIdentifier",
  "enableServerSideApply",
  "enableConfigMapMutable",
  "enableSecretMutable",
  "enablePatchForce",
  "upsertExistingObjects",
  "deleteUnreachable",
  "suppressDeprecationWarnings",
  "suppressHelmHookWarnings",
  // The engine's own: which plugin the provider asks for.
  "version",
  "pluginDownloadURL",
  "pluginChecksums",
  "__internal",
]);

export interface Problem {
  readonly property: string;
  readonly reason: string;
}

/** What is wrong with a provider's arguments: those that the stand-in would have to ignore are refused. */
export function configProblems(args: Properties): readonly Problem[] {
  const problems = Object.entries(args)
    .filter(([name, value]) => !understood.has(name) && value !== null)
    .map(([property]) => ({
      property,
      reason: "the stand-in for the kubernetes plugin does not have this option; the real plugin does (GOLIVE_PLUGINS)",
    }));
  if (flag(reveal(args.enableServerSideApply ?? null)) === false) {
    const reason =
      "the stand-in for the kubernetes plugin knows server-side apply only: leave it out or set it to true";
    return [...problems, { property: "enableServerSideApply", reason }];
  }
  return problems;
}

/** A provider's arguments from the engine's variables, `kubernetes:config:<name>`; flags are JSON there. */
export function parseConfig(variables: ReadonlyMap<string, string>): Config {
  const text = (name: string) => {
    const value = variables.get(`kubernetes:config:${name}`);
    return value === undefined || value === "" ? undefined : value;
  };
  const on = (name: string) => flag(text(name)) === true;
  return {
    kubeconfig: text("kubeconfig"),
    context: text("context"),
    cluster: text("cluster"),
    namespace: text("namespace"),
    configMapMutable: on("enableConfigMapMutable"),
    secretMutable: on("enableSecretMutable"),
    patchForce: on("enablePatchForce"),
    upsert: on("upsertExistingObjects"),
    deleteUnreachable: on("deleteUnreachable"),
  };
}

function flag(value: unknown): boolean | undefined {
  return value === true || value === "true" ? true : value === false || value === "false" ? false : undefined;
}

/** Which arguments of a provider changed, and which of them mean another cluster: all that stands on it is then replaced. */
export function diffConfig(
  olds: Properties,
  news: Properties,
): { diffs: readonly string[]; replaces: readonly string[] } {
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const diffs = names.filter((name) => !isDeepStrictEqual(reveal(olds[name] ?? null), reveal(news[name] ?? null)));
  const [before, after] = [olds.clusterIdentifier ?? null, news.clusterIdentifier ?? null];
  // An identifier on both sides decides alone: that is what it is for.
  if (before !== null && after !== null) {
    return { diffs, replaces: diffs.filter((name) => name === "clusterIdentifier") };
  }
  const naming = diffs.filter((name) => ["kubeconfig", "context", "cluster"].includes(name));
  const moved =
    naming.length > 0 && (naming.some((name) => containsUnknown(news[name] ?? null)) || !sameCluster(olds, news));
  return { diffs, replaces: moved ? naming : [] };
}

function sameCluster(olds: Properties, news: Properties): boolean {
  const cluster = (args: Properties) => {
    const text = (name: string) => {
      const value = reveal(args[name] ?? null);
      return typeof value === "string" && value !== "" ? value : undefined;
    };
    try {
      return activeCluster({ kubeconfig: text("kubeconfig"), context: text("context"), cluster: text("cluster") });
    } catch {
      // A kubeconfig that is gone cannot say that the cluster is another.
      return undefined;
    }
  };
  const [before, after] = [cluster(olds), cluster(news)];
  return before === undefined || after === undefined || before === after;
}
