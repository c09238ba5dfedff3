import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import type {
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  InvokeRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { type EngineLog, statusLine } from "../rpc/engine-log.ts";
import { initialisationError } from "../rpc/initialisation-error.ts";
import { fromStruct, type Properties, reveal, toStruct } from "../rpc/properties.ts";
import { unary } from "../rpc/serve.ts";
import { nameOf, typeOf } from "../rpc/urn.ts";
import { checkReady, NotReady, type WaitOptions, waitUntilGone, waitUntilReady } from "./await/wait.ts";
import { check } from "./check.ts";
import { checkpoint, originOf } from "./checkpoint.ts";
import { ApiError, Client, Unreachable } from "./client.ts";
import { Cluster, KindMissing } from "./cluster.ts";
import { type Config, configProblems, diffConfig, type Problem, parseConfig } from "./config.ts";
import { type Change, diff, mayReplaceUnready, parseState } from "./diff.ts";
import { annotation, type KubeObject, objectId, objectName, objectNamespace, prune } from "./json.ts";
import { kindOfType } from "./kinds.ts";
import { type Connection, connection } from "./kubeconfig.ts";
import { normalize } from "./normalize.ts";
import { markSecrets } from "./secrets.ts";
import { createObject, previewCreate, previewUpdate, type Target, updateObject } from "./write.ts";

/** The version of @pulumi/kubernetes whose behaviour is stood in for. */
const version = "4.34.2";

const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
const kinds: Readonly<Record<Change, provider.PropertyDiff.Kind>> = {
  add: provider.PropertyDiff.Kind.ADD,
  addReplace: provider.PropertyDiff.Kind.ADD_REPLACE,
  delete: provider.PropertyDiff.Kind.DELETE,
  deleteReplace: provider.PropertyDiff.Kind.DELETE_REPLACE,
  update: provider.PropertyDiff.Kind.UPDATE,
  updateReplace: provider.PropertyDiff.Kind.UPDATE_REPLACE,
};

/** One provider of the engine, and its methods. */
export class KubernetesProvider {
  readonly #log: EngineLog;
  readonly #cancelled = new AbortController();
  #config: Config = parseConfig(new Map());
  #connection: Connection | undefined;
  #cluster: Cluster | undefined;

  constructor(log: EngineLog) {
    this.#log = log;
  }

  /** Ends every wait; called when the user presses Ctrl-C, and at the end. */
  cancel(): void {
    this.#cancelled.abort();
  }

  handlers(): UntypedServiceImplementation {
    return {
      getPluginInfo: unary(() => {
        const info = new plugin.PluginInfo();
        info.setVersion(version);
        return info;
      }),
      getSchema: unary(() => {
        const response = new provider.GetSchemaResponse();
        response.setSchema(JSON.stringify({ name: "kubernetes", version }));
        return response;
      }),
      checkConfig: unary((request: CheckRequest) => {
        const response = new provider.CheckResponse();
        response.setInputs(request.getNews());
        response.setFailuresList(configProblems(fromStruct(request.getNews())).map(failure));
        return response;
      }),
      diffConfig: unary((request: DiffRequest) => {
        const { diffs, replaces } = diffConfig(fromStruct(request.getOlds()), fromStruct(request.getNews()));
        const response = new provider.DiffResponse();
        response.setChanges(diffs.length === 0 ? DIFF_NONE : DIFF_SOME);
        response.setDiffsList([...diffs]);
        response.setReplacesList([...replaces]);
        return response;
      }),
      configure: unary((request: ConfigureRequest) => this.#configure(request)),
      invoke: unary((request: InvokeRequest) => {
        throw new Error(`the stand-in for the kubernetes plugin has no functions, and so no ${request.getTok()}`);
      }),
      check: unary((request: CheckRequest) => this.#check(request)),
      diff: unary((request: DiffRequest) => this.#diff(request)),
      create: unary((request: CreateRequest) => this.#create(request)),
      read: unary((request: ReadRequest) => this.#read(request)),
      update: unary((request: UpdateRequest) => this.#update(request)),
      delete: unary((request: DeleteRequest) => this.#delete(request)),
      cancel: unary(() => {
        this.cancel();
        return new empty.Empty();
      }),
    };
  }

  #configure(request: ConfigureRequest) {
    const variables = request.getVariablesMap().getEntryList() as [string, string][];
    this.#config = parseConfig(new Map(variables));
    const response = new provider.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    response.setSupportsAutonamingConfiguration(true);
    return response;
  }

  // Nothing is read or connected to before it is needed: a run without changes needs no cluster.
  #connected(): Connection {
    this.#connection ??= connection(this.#config);
    return this.#connection;
  }

  #reach(): Cluster {
    this.#cluster ??= new Cluster(new Client(this.#connected()));
    return this.#cluster;
  }

  async #check(request: CheckRequest) {
    const kind = kindOfType(typeOf(request.getUrn()));
    const naming = request.getAutonaming();
    const inputs = await check(fromStruct(request.getOlds()), fromStruct(request.getNews()), {
      resourceName: nameOf(request.getUrn()),
      naming: {
        proposed: naming?.getProposedName() || undefined,
        disabled: naming?.getMode() === provider.CheckRequest.AutonamingOptions.Mode.DISABLE,
        seed: request.getRandomseed_asU8(),
      },
      namespace: async () => {
        const namespaced = kind.namespaced ?? (await this.#servedInNamespaces(kind));
        return namespaced ? (this.#config.namespace ?? this.#connected().namespace ?? "default") : undefined;
      },
    });
    const response = new provider.CheckResponse();
    response.setInputs(toStruct(inputs));
    return response;
  }

  async #servedInNamespaces(kind: ReturnType<typeof kindOfType>): Promise<boolean> {
    try {
      return (await this.#reach().served(kind)).namespaced;
    } catch (error) {
      // Its definition may come with this very run; the create knows.
      if (error instanceof KindMissing) return true;
      throw error;
    }
  }

  async #diff(request: DiffRequest) {
    const state = parseState(fromStruct(request.getOlds()));
    const news = fromStruct(request.getNews());
    const difference = diff(state, news, this.#config, request.getIgnorechangesList());
    const unready = await this.#mustReplaceUnready(request, reveal(news) as KubeObject, state.live);
    const response = new provider.DiffResponse();
    const replaces = [
      ...difference.replaces,
      ...(unready ? ['metadata.annotations["pulumi.com/replaceUnready"]'] : []),
    ];
    response.setChanges(difference.changes.size === 0 && !unready ? DIFF_NONE : DIFF_SOME);
    response.setReplacesList(replaces);
    response.setDeletebeforereplace(difference.deleteBeforeReplace || unready);
    response.setHasdetaileddiff(true);
    for (const [path, change] of difference.changes) {
      const property = new provider.PropertyDiff();
      property.setKind(kinds[change]);
      property.setInputdiff(change.startsWith("delete"));
      response.getDetaileddiffMap().set(path, property);
    }
    return response;
  }

  // `pulumi.com/replaceUnready` on a job: one that has failed is made anew instead of being left as it is.
  async #mustReplaceUnready(request: DiffRequest, inputs: KubeObject, live: KubeObject): Promise<boolean> {
    if (annotation(inputs, "pulumi.com/replaceUnready") !== "true" || !mayReplaceUnready(inputs)) return false;
    const kind = kindOfType(typeOf(request.getUrn()));
    try {
      await checkReady(
        await this.#reach().get(kind, objectNamespace(live), objectName(live)),
        this.#waiting(request, 0),
      );
      return false;
    } catch (error) {
      if (error instanceof NotReady) return true;
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  async #create(request: CreateRequest) {
    const told = fromStruct(request.getProperties());
    const target = this.#target(request, {}, told);
    const response = new provider.CreateResponse();
    if (request.getPreview()) {
      const made = await previewCreate(told, target);
      response.setProperties(
        toStruct(made === told ? told : checkpoint(reveal(told) as KubeObject, made, told, target.origin)),
      );
      return response;
    }
    const inputs = reveal(told) as KubeObject;
    const created = await createObject(told, target);
    const live = await this.#settled(created, false, request, (failed, error) =>
      initialisationError(
        `it was created, but ${error.message}`,
        error.reasons,
        objectId(failed),
        checkpoint(inputs, failed, told, target.origin),
      ),
    );
    response.setId(objectId(live));
    response.setProperties(toStruct(checkpoint(inputs, live, told, target.origin)));
    return response;
  }

  async #update(request: UpdateRequest) {
    const told = fromStruct(request.getNews());
    const target = this.#target(request, fromStruct(request.getOlds()), told);
    const ignored = request.getIgnorechangesList();
    const inputs = normalize(reveal(told) as KubeObject);
    const stateOf = (live: KubeObject) => checkpoint(inputs, live, told, target.origin);
    const response = new provider.UpdateResponse();
    if (request.getPreview()) {
      const applied = await previewUpdate(told, ignored, target);
      response.setProperties(toStruct(applied === undefined ? told : stateOf(applied)));
      return response;
    }
    const incomplete = (live: KubeObject, message: string, reasons: readonly string[]) =>
      initialisationError(message, reasons, objectId(live), stateOf(live));
    const { applied, refusal } = await updateObject(told, ignored, target);
    // As with the real plugin, the state then holds what was asked for and what is there, and the next run tries again.
    if (refusal !== undefined) throw incomplete(applied, refusal.message, []);
    const live = await this.#settled(applied, true, request, (failed, error) =>
      incomplete(failed, `it was updated, but ${error.message}`, error.reasons),
    );
    response.setProperties(toStruct(stateOf(live)));
    return response;
  }

  /** Waits until an object is ready; what the wait fails with becomes the error that keeps its state. */
  async #settled(
    object: KubeObject,
    updated: boolean,
    request: CreateRequest | UpdateRequest,
    failedWith: (live: KubeObject, error: NotReady) => Error,
  ): Promise<KubeObject> {
    try {
      return await waitUntilReady(object, updated, this.#waiting(request, request.getTimeout()));
    } catch (error) {
      // The object is there whatever went wrong since: its state must not be lost.
      if (error instanceof NotReady) throw failedWith(error.live, error);
      const message = error instanceof Error ? error.message : String(error);
      throw failedWith(object, new NotReady(`its readiness could not be told: ${message}`, object, []));
    }
  }

  async #read(request: ReadRequest) {
    const kind = kindOfType(typeOf(request.getUrn()));
    const [name = "", namespace = ""] = request.getId().split("/").reverse();
    const state = fromStruct(request.getProperties());
    const told = fromStruct(request.getInputs());
    const response = new provider.ReadResponse();
    let live: KubeObject;
    try {
      live = await this.#reach().get(kind, namespace, name, this.#cancelled.signal);
    } catch (error) {
      if (!(await this.#isGone(error, request.getUrn()))) throw error;
      return response;
    }
    const known = Object.keys(told).length > 0;
    const inputs = known ? (prune(live, normalize(reveal(told) as KubeObject)) as KubeObject) : importedInputs(live);
    const origin = originOf(state, inputs, request.getUrn());
    const id = request.getId() === "" ? objectId(live) : request.getId();
    const newState = checkpoint(inputs, live, told, origin);
    const newInputs = markSecrets(inputs, told);
    try {
      if (known) await checkReady(live, this.#waiting(request, 0));
    } catch (error) {
      if (error instanceof NotReady) throw initialisationError(error.message, error.reasons, id, newState, newInputs);
      throw error;
    }
    response.setId(id);
    response.setProperties(toStruct(newState));
    response.setInputs(toStruct(newInputs));
    return response;
  }

  async #isGone(error: unknown, urn: string): Promise<boolean> {
    if (error instanceof KindMissing || (error instanceof ApiError && error.status === 404)) return true;
    if (!(error instanceof Unreachable && this.#config.deleteUnreachable)) return false;
    await this.#log.say("warning", `${error.message}; it is taken for gone, as deleteUnreachable says`, urn);
    return true;
  }

  async #delete(request: DeleteRequest) {
    const kind = kindOfType(typeOf(request.getUrn()));
    const properties = fromStruct(request.getProperties());
    const { inputs, live } = parseState(properties);
    const [name = "", namespace = ""] = request.getId().split("/").reverse();
    const policies: Readonly<Record<string, string>> = { orphan: "Orphan", background: "Background" };
    const policy = policies[annotation(inputs, "pulumi.com/deletionPropagationPolicy").toLowerCase()] ?? "Foreground";
    try {
      await this.#reach().remove(kind, namespace, name, policy, this.#cancelled.signal);
      await waitUntilGone(inputs, live, this.#waiting(request, request.getTimeout()));
    } catch (error) {
      if (error instanceof NotReady) {
        const state = checkpoint(inputs, error.live, properties, originOf(properties, inputs, request.getUrn()));
        throw initialisationError(error.message, error.reasons, request.getId(), state);
      }
      if (!(await this.#isGone(error, request.getUrn()))) throw error;
    }
    return new empty.Empty();
  }

  #target(request: CreateRequest | UpdateRequest, state: Properties, told: Properties): Target {
    return {
      cluster: this.#reach(),
      config: this.#config,
      kind: kindOfType(typeOf(request.getUrn())),
      origin: originOf(state, reveal(told) as KubeObject, request.getUrn()),
      signal: this.#cancelled.signal,
      status: statusLine(this.#log, request.getUrn()),
    };
  }

  #waiting(request: { getUrn(): string }, timeout: number): WaitOptions {
    return {
      cluster: this.#reach(),
      kind: kindOfType(typeOf(request.getUrn())),
      status: statusLine(this.#log, request.getUrn()),
      timeout,
      signal: this.#cancelled.signal,
    };
  }
}

function failure({ property, reason }: Problem): provider.CheckFailure {
  const result = new provider.CheckFailure();
  result.setProperty(property);
  result.setReason(reason);
  return result;
}

// An object that was never told anything by us: all that a program could have told it.
function importedInputs(live: KubeObject): KubeObject {
  const { status: _, ...rest } = normalize(live);
  return rest;
}
