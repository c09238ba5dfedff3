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
import { initialisationError } from "../rpc/initialisation-error.ts";
import { fromStruct, type Properties, toStruct, Unknown } from "../rpc/properties.ts";
import { unary } from "../rpc/serve.ts";
import { typeOf } from "../rpc/urn.ts";
import { changedArguments, configProblems, type Problem, parseConfig } from "./config.ts";
import { type Change, checkInputs, clear, difference, inputsOf, known, outputs, planned } from "./plan.ts";
import type { Plain, ResourceType } from "./resource.ts";
import { Server } from "./server.ts";
import { typeNamed } from "./types.ts";

/** The version of @pulumi/postgresql whose behaviour is stood in for. */
const version = "3.18.1";

const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
const { Kind } = provider.PropertyDiff;
const kinds: Readonly<Record<Change, readonly [provider.PropertyDiff.Kind, provider.PropertyDiff.Kind]>> = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
};

/** One provider of the engine, and its methods. Only those that read or write a resource connect to the server. */
export class PostgresqlProvider {
  #variables: ReadonlyMap<string, string> = new Map();
  #server: Server | undefined;

  /** Ends all connections; called when the user presses Ctrl-C, and at the end. */
  close(): void {
    this.#server?.close();
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
        response.setSchema(JSON.stringify({ name: "postgresql", version }));
        return response;
      }),
      checkConfig: unary((request: CheckRequest) => {
        const response = new provider.CheckResponse();
        response.setInputs(request.getNews());
        response.setFailuresList(configProblems(fromStruct(request.getNews())).map(failure));
        return response;
      }),
      diffConfig: unary((request: DiffRequest) => {
        const diffs = changedArguments(fromStruct(request.getOlds()), fromStruct(request.getNews()));
        const response = new provider.DiffResponse();
        response.setChanges(diffs.length === 0 ? DIFF_NONE : DIFF_SOME);
        response.setDiffsList([...diffs]);
        return response;
      }),
      configure: unary((request: ConfigureRequest) => {
        this.close();
        this.#server = undefined;
        this.#variables = new Map(request.getVariablesMap().getEntryList() as [string, string][]);
        const response = new provider.ConfigureResponse();
        response.setAcceptsecrets(true);
        response.setSupportspreview(true);
        return response;
      }),
      invoke: unary((request: InvokeRequest) => {
        throw new Error(`the stand-in for the postgresql plugin has no functions, and so no ${request.getTok()}`);
      }),
      check: unary((request: CheckRequest) => {
        const { inputs, problems } = checkInputs(typeNamed(typeOf(request.getUrn())), fromStruct(request.getNews()));
        const response = new provider.CheckResponse();
        response.setInputs(toStruct(inputs));
        response.setFailuresList(problems.map(failure));
        return response;
      }),
      diff: unary(diff),
      create: unary((request: CreateRequest) => this.#create(request)),
      read: unary((request: ReadRequest) => this.#read(request)),
      update: unary((request: UpdateRequest) => this.#update(request)),
      delete: unary((request: DeleteRequest) => this.#delete(request)),
      cancel: unary(() => {
        this.close();
        return new empty.Empty();
      }),
    };
  }

  // Nothing is connected to before it is needed: a run without changes needs no database.
  #reach(): Server {
    this.#server ??= new Server(parseConfig(this.#variables));
    return this.#server;
  }

  async #create(request: CreateRequest) {
    const type = typeNamed(typeOf(request.getUrn()));
    const inputs = fromStruct(request.getProperties());
    const wanted = planned(type, clear(inputs));
    const response = new provider.CreateResponse();
    if (request.getPreview()) {
      response.setProperties(toStruct(outputs(type, wanted, inputs)));
      return response;
    }
    const plain = decided(wanted);
    await type.create(this.#reach(), plain);
    const state = await this.#written(type, plain, inputs);
    response.setId(type.idOf(state));
    response.setProperties(stateStruct(type, state, inputs));
    return response;
  }

  async #update(request: UpdateRequest) {
    const type = typeNamed(typeOf(request.getUrn()));
    const before = clear(fromStruct(request.getOlds()));
    const inputs = fromStruct(request.getNews());
    const wanted = planned(type, clear(inputs), before);
    const response = new provider.UpdateResponse();
    if (request.getPreview()) {
      response.setProperties(toStruct(outputs(type, wanted, inputs)));
      return response;
    }
    const plain = decided(wanted);
    await type.update?.(this.#reach(), known(before), plain);
    response.setProperties(stateStruct(type, await this.#written(type, plain, inputs), inputs));
    return response;
  }

  /** What is there of a resource that was just written. It is there whatever goes wrong now: its state must not be lost. */
  async #written(type: ResourceType, wanted: Plain, inputs: Properties): Promise<Plain> {
    const lost = (reason: string) =>
      initialisationError(
        `it was written, but it cannot be read: ${reason}`,
        [],
        type.idOf(wanted),
        outputs(type, wanted as Properties, inputs),
      );
    const state = await type.read(this.#reach(), wanted).catch((error: Error) => {
      throw lost(error.message);
    });
    if (state === undefined) throw lost(`somebody else removed the ${type.title(wanted)} meanwhile`);
    return state;
  }

  async #read(request: ReadRequest) {
    const type = typeNamed(typeOf(request.getUrn()));
    const olds = fromStruct(request.getProperties());
    const inputs = fromStruct(request.getInputs());
    // A renamed resource keeps the id that it was made with: its state, where there is one, knows better.
    const isImport = Object.keys(olds).length === 0;
    if (isImport && type.fromId === undefined) {
      throw new Error(
        `a resource of type ${type.type} cannot be imported or read by its id, with the real plugin neither`,
      );
    }
    const state = await type.read(this.#reach(), isImport ? (type.fromId?.(request.getId()) ?? {}) : known(olds));
    const response = new provider.ReadResponse();
    if (state === undefined) return response;
    response.setId(type.idOf(state));
    response.setProperties(stateStruct(type, state, { ...olds, ...inputs }));
    response.setInputs(toStruct(inputsOf(type, state, inputs)));
    return response;
  }

  async #delete(request: DeleteRequest) {
    const type = typeNamed(typeOf(request.getUrn()));
    await type.remove(this.#reach(), known(fromStruct(request.getProperties())));
    return new empty.Empty();
  }
}

function diff(request: DiffRequest) {
  const type = typeNamed(typeOf(request.getUrn()));
  const ignored = request.getIgnorechangesList();
  const found = difference(type, fromStruct(request.getOlds()), fromStruct(request.getNews()), ignored);
  const response = new provider.DiffResponse();
  response.setChanges(found.properties.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setDiffsList([...found.properties]);
  response.setReplacesList([...found.replaces]);
  response.setDeletebeforereplace(found.removesFirst);
  response.setHasdetaileddiff(true);
  for (const [path, { change, replaces }] of found.changes) {
    const property = new provider.PropertyDiff();
    property.setKind(kinds[change][replaces ? 1 : 0]);
    response.getDetaileddiffMap().set(path, property);
  }
  return response;
}

// What nobody decided so far is left to the server.
function decided(wanted: Properties): Plain {
  return known(Object.fromEntries(Object.entries(wanted).filter(([, value]) => !(value instanceof Unknown))));
}

function stateStruct(type: ResourceType, state: Plain, inputs: Properties) {
  const ours = Object.entries(state).filter(([name, value]) => value !== undefined && name in type.properties);
  return toStruct(outputs(type, Object.fromEntries(ours) as Properties, inputs));
}

function failure({ property, reason }: Problem): provider.CheckFailure {
  const result = new provider.CheckFailure();
  result.setProperty(property);
  result.setReason(reason);
  return result;
}
