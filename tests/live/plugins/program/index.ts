import { readFileSync } from "node:fs";
import process from "node:process";
import * as kubernetes from "@pulumi/kubernetes";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { type Plan, planVariable } from "./plan.ts";

type Resource = pulumi.CustomResource & Readonly<Record<string, pulumi.Output<unknown>>>;
interface ResourceClass {
  new (name: string, args: unknown, options: pulumi.CustomResourceOptions): Resource;
  get(name: string, id: string, options: pulumi.CustomResourceOptions): Resource;
}

const plan = JSON.parse(readFileSync(process.env[planVariable] ?? "", "utf8")) as Plan;
const made = new Map<string, Resource>();
const providers = new Map<string, pulumi.ProviderResource>();

/** The provider of a family of classes, made when it is first needed: its arguments may be outputs of what was declared before. */
function providerOf(family: string): { readonly provider?: pulumi.ProviderResource } {
  const found = providers.get(family) ?? makeProvider(family);
  if (found === undefined) return {};
  providers.set(family, found);
  return { provider: found };
}

function makeProvider(family: string): pulumi.ProviderResource | undefined {
  const { provider: cluster, postgresql: server } = plan;
  if (family === "kubernetes" && cluster !== undefined) return new kubernetes.Provider("cluster", cluster);
  if (family === "postgresql" && server !== undefined) {
    return new postgresql.Provider("server", resolved(server) as postgresql.ProviderArgs);
  }
  return undefined;
}

for (const { type, name, args, options = {}, get } of plan.resources) {
  const family = type.startsWith("random.") ? "random" : type.startsWith("postgresql.") ? "postgresql" : "kubernetes";
  const place: pulumi.CustomResourceOptions = { ...options, ...providerOf(family) };
  const found = classOf(family === "kubernetes" ? kubernetes : { random, postgresql }, type);
  made.set(name, get === undefined ? new found(name, resolved(args), place) : found.get(name, get, place));
}

export const outputs = Object.fromEntries(
  Object.entries(plan.outputs ?? {}).map(([name, path]) => [name, outputOf(path)]),
);

function classOf(root: object, path: string): ResourceClass {
  return path.split(".").reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], root) as ResourceClass;
}

function outputOf(path: string): pulumi.Output<unknown> {
  const [name = "", property = "", ...rest] = path.split(".");
  const output = made.get(name)?.[property];
  if (output === undefined) throw new Error(`the plan names ${path}, which is not declared before it`);
  return output.apply((value) => rest.reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], value));
}

function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== "object" || value === null) return value;
  if ("$secret" in value) return pulumi.secret(resolved(value.$secret));
  if ("$of" in value) return outputOf(String(value.$of));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}
