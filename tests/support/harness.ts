import * as pulumi from "@pulumi/pulumi";
import type resources from "@pulumi/pulumi/proto/resource_pb.js";
import { expect } from "vitest";

/**
 * The one harness for components: registers what a program declares with Pulumi's mocks, in a preview and in an update, and
 * hands back every resource with its inputs and options. It knows each resource type by name and throws on any other.
 */

/** One registered resource: what the engine would be sent. */
export interface Declared {
  readonly type: string;
  /** Without the digest that stands behind the names of what changes with its content; `urn` has it. */
  readonly name: string;
  readonly urn: string;
  /** Inputs with secrets as `SecretValue`. */
  readonly inputs: Inputs;
  readonly custom: boolean;
  /** `urn::id` of its explicit provider; empty for components and providers. */
  readonly provider: string;
  readonly parent: string;
  /** Names of the resources it waits for, as `type::name`. */
  readonly dependsOn: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** `type::name` of what takes it with it when that is deleted; empty when nothing does. */
  readonly deletedWith: string;
  readonly hooks: {
    readonly beforeCreate: readonly string[];
    readonly beforeUpdate: readonly string[];
    readonly afterUpdate: readonly string[];
  };
  readonly timeouts: { readonly create: string; readonly update: string };
}

export type Inputs = Readonly<Record<string, unknown>>;

/** A value that the engine encrypts. */
export class SecretValue {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

const secretMark = "4dabf18193072939515e22adb298388d";

/** What a cluster or a generator would answer for each type that golive declares, on top of the inputs. */
const answers: Readonly<Record<string, (name: string, inputs: Inputs) => Inputs>> = {
  "kubernetes:core/v1:Namespace": named,
  "kubernetes:core/v1:ResourceQuota": named,
  "kubernetes:core/v1:Secret": named,
  "kubernetes:core/v1:ConfigMap": named,
  "kubernetes:core/v1:Service": named,
  "kubernetes:core/v1:ServiceAccount": named,
  "kubernetes:rbac.authorization.k8s.io/v1:Role": named,
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": named,
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": named,
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": named,
  "kubernetes:core/v1:PersistentVolumeClaim": named,
  "kubernetes:apps/v1:StatefulSet": named,
  "kubernetes:apps/v1:Deployment": named,
  "kubernetes:apps/v1:DaemonSet": named,
  "kubernetes:batch/v1:Job": named,
  "kubernetes:batch/v1:CronJob": named,
  "kubernetes:policy/v1:PodDisruptionBudget": named,
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": named,
  "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": named,
  "kubernetes:postgresql.cnpg.io/v1:Cluster": named,
  "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup": named,
  "kubernetes:barmancloud.cnpg.io/v1:ObjectStore": named,
  "kubernetes:monitoring.coreos.com/v1:PodMonitor": named,
  "kubernetes:monitoring.coreos.com/v1:ServiceMonitor": named,
  "kubernetes:monitoring.coreos.com/v1:Probe": named,
  "kubernetes:monitoring.coreos.com/v1:PrometheusRule": named,
  "kubernetes:monitoring.coreos.com/v1alpha1:ScrapeConfig": named,
  "kubernetes:monitoring.coreos.com/v1:Prometheus": named,
  "kubernetes:monitoring.coreos.com/v1:Alertmanager": named,
  "kubernetes:elasticsearch.k8s.elastic.co/v1:Elasticsearch": named,
  "kubernetes:kibana.k8s.elastic.co/v1:Kibana": named,
  "kubernetes:logstash.k8s.elastic.co/v1alpha1:Logstash": named,
  "kubernetes:beat.k8s.elastic.co/v1beta1:Beat": named,
  "postgresql:index/role:Role": () => ({}),
  "postgresql:index/database:Database": () => ({}),
  "postgresql:index/schema:Schema": () => ({}),
  "postgresql:index/grant:Grant": () => ({}),
  "postgresql:index/defaultPrivileges:DefaultPrivileges": () => ({}),
  "pulumi:providers:kubernetes": () => ({}),
  "pulumi:providers:postgresql": () => ({}),
  "pulumi:providers:random": () => ({}),
  "random:index/randomPassword:RandomPassword": (name) => ({ result: new SecretValue(generated(name)) }),
};

/** The password that the mocked generator makes for a resource of this name. */
export const generated = (name: string) => `generated-for-${name}`;

function named(name: string, inputs: Inputs): Inputs {
  const metadata = typeof inputs.metadata === "object" ? inputs.metadata : {};
  return { metadata: { name: `${name}-auto`, ...metadata, uid: `uid-of-${name}` } };
}

const isComponent = (type: string) => type.startsWith("golive:") || type === "pulumi:pulumi:Stack";

/** Runs a program against the mocks once. */
async function declareOnce(program: () => void | Promise<void>, preview: boolean): Promise<readonly Declared[]> {
  const unknown: string[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs, custom, id }) {
        if (!custom && isComponent(type)) return { id: undefined, state: inputs };
        const answer = answers[type];
        // Thrown at the end: an error in here ends as an unhandled rejection in every resource that waits for this one.
        if (!answer) unknown.push(`${type} (${name})`);
        return { id: id || `id-of-${name}`, state: sealed({ ...inputs, ...answer?.(name, inputs) }) };
      },
      call({ token }) {
        unknown.push(token);
        return {};
      },
    },
    "golive",
    "test",
    preview,
  );
  const declared: Declared[] = [];
  const hooks: string[] = [];
  const monitor: object = pulumi.runtime.getMonitor() ?? {};
  const register = methodOf(monitor, "registerResource");
  Object.assign(monitor, {
    registerResource(request: resources.RegisterResourceRequest, answer: Answer) {
      register.call(monitor, request, (error: unknown, response: resources.RegisterResourceResponse) => {
        if (!error) declared.push(read(request, response.getUrn()));
        answer(error, response);
      });
    },
    // The mocks know no hooks: without these the resource that has one would never be registered.
    registerResourceHook(request: resources.RegisterResourceHookRequest, answer: Answer) {
      hooks.push(request.getName());
      answer(null, {});
    },
  });
  const failures: unknown[] = [];
  await pulumi.runtime.runInPulumiStack(async () => {
    try {
      await program();
    } catch (error) {
      failures.push(error);
    }
  });
  await pulumi.runtime.disconnect();
  if (failures.length > 0) {
    const touched = declared.filter(({ custom }) => custom).map(({ type, name }) => `${type} ${name}`);
    expect(touched, "a program that fails has declared nothing").toEqual([]);
    throw failures[0];
  }
  if (unknown.length > 0) throw new Error(`the harness knows no ${unknown.join(", ")}: add what a cluster answers`);
  for (const { hooks: bound, name } of declared)
    for (const hook of [...bound.beforeCreate, ...bound.beforeUpdate, ...bound.afterUpdate])
      expect(hooks, `the hook ${hook} of ${name} is registered`).toContain(hook);
  return declared;
}

type Answer = (error: unknown, response: unknown) => void;

function methodOf(target: object, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== "function") throw new Error(`Pulumi's mock monitor has no ${name}`);
  return (...args) => Reflect.apply(method, target, args);
}

function read(request: resources.RegisterResourceRequest, urn: string): Declared {
  const timeouts = request.getCustomtimeouts();
  const hooks = request.getHooks();
  return {
    type: request.getType(),
    name: withoutDigest(request.getName()),
    urn,
    inputs: asInputs(opened(request.getObject()?.toJavaScript())),
    custom: request.getCustom(),
    provider: request.getProvider(),
    parent: request.getParent(),
    dependsOn: request.getDependenciesList().map(label).sort(),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    deletedWith: request.getDeletedwith() === "" ? "" : label(request.getDeletedwith()),
    hooks: {
      beforeCreate: hooks?.getBeforeCreateList() ?? [],
      beforeUpdate: hooks?.getBeforeUpdateList() ?? [],
      afterUpdate: hooks?.getAfterUpdateList() ?? [],
    },
    timeouts: { create: timeouts?.getCreate() ?? "", update: timeouts?.getUpdate() ?? "" },
  };
}

const asInputs = (value: unknown): Inputs =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

/** `type::name` of a URN, without the types of its parents. */
function label(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  return `${types.split("$").at(-1)}::${withoutDigest(name.join("::"))}`;
}

const withoutDigest = (name: string) => name.replace(/-[0-9a-f]{10}$/, "");

/** The engine's wire form of secrets, made and read. */
function sealed(value: unknown): Inputs {
  return asInputs(mapValues(value, (each) => (each instanceof SecretValue ? pulumi.secret(each.value) : undefined)));
}

function opened(value: unknown): unknown {
  return mapValues(value, (each) =>
    typeof each === "object" && each !== null && secretMark in each
      ? new SecretValue("value" in each ? opened(each.value) : undefined)
      : undefined,
  );
}

/** A copy of a tree with some of its values replaced: `replace` says by what, or undefined to go on below it. */
function mapValues(value: unknown, replace: (value: unknown) => unknown): unknown {
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) return value.map((each) => mapValues(each, replace));
  if (typeof value !== "object" || value === null || pulumi.Output.isInstance(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapValues(each, replace)]));
}

/** What a program declares: the resources of its update, after a preview declared the same ones. */
export class Declaration {
  readonly all: readonly Declared[];

  constructor(all: readonly Declared[]) {
    this.all = all;
  }

  /** The one resource of this kind (`Deployment`) and name. */
  find(kind: string, name: string): Declared {
    const found = this.all.filter((each) => each.custom && each.type.endsWith(`:${kind}`) && each.name === name);
    const [only] = found;
    if (!only || found.length > 1)
      throw new Error(`${found.length} resources ${kind} ${name}; there are: ${this.names(kind).join(", ")}`);
    return only;
  }

  /** Names of all resources of one kind, sorted; components do not count. */
  names(kind: string): readonly string[] {
    return this.all
      .filter((each) => each.custom && each.type.endsWith(`:${kind}`))
      .map((each) => each.name)
      .sort();
  }

  /** `parent type$type::name` of all resources, sorted: what a golden URN list says of each, without grandparents. */
  get urns(): readonly string[] {
    return this.all.map(({ urn }) => urn.split("::").slice(2).join("::")).sort();
  }

  /** Everything that would stand in clear in a manifest or in the state: all inputs without their secrets. */
  get clearText(): string {
    return JSON.stringify(
      this.all.map((each) => each.inputs),
      (_key, value: unknown) => (value instanceof SecretValue ? "[secret]" : value),
    );
  }
}

/**
 * Declares a program in a preview and in an update. Both must declare the same URNs, at least `atLeast` of them, none twice,
 * and each resource of a provider must name that provider.
 */
export async function declare(program: () => void | Promise<void>, atLeast: number): Promise<Declaration> {
  return (await declareBoth(program, atLeast)).update;
}

/** The same, with what the preview declared beside it. */
export async function declareBoth(
  program: () => void | Promise<void>,
  atLeast: number,
): Promise<{ readonly preview: Declaration; readonly update: Declaration }> {
  const preview = new Declaration(await declareOnce(program, true));
  const update = new Declaration(await declareOnce(program, false));
  expect(preview.urns, "a preview declares what the update does").toEqual(update.urns);
  expect(update.all.length, "resources declared").toBeGreaterThanOrEqual(atLeast);
  expect(new Set(update.urns).size, "URNs are unique").toBe(update.urns.length);
  for (const { type, name, provider, custom } of update.all)
    if (custom && !type.startsWith("pulumi:providers:"))
      expect(provider, `${type} ${name} names its provider`).toContain(providerOf[type.split(":")[0] ?? ""]);
  return { preview, update };
}

/** The one provider of each package, by the name it has in a URN. */
const providerOf: Readonly<Record<string, string>> = {
  kubernetes: ":providers:kubernetes::cluster::",
  random: ":providers:random::random::",
  postgresql: ":providers:postgresql::postgresql::",
};

/** Asserts that a value is encrypted, and answers it. */
export function secretOf(value: unknown): unknown {
  expect(value, "a secret").toBeInstanceOf(SecretValue);
  return value instanceof SecretValue ? value.value : undefined;
}
