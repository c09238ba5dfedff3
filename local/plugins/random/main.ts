import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type {
  CheckRequest,
  CreateRequest,
  DiffRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { fromStruct, toStruct, unknown } from "../rpc/properties.ts";
import { serve, unary } from "../rpc/serve.ts";
import { typeOf } from "../rpc/urn.ts";
import { changedProperties, checkInputs, createState, isSecretType } from "./resource.ts";

/** The stand-in for the plugin of @pulumi/random: what the program declares of it, and nothing else. */
const handlers: UntypedServiceImplementation = {
  getPluginInfo: unary(() => {
    const info = new plugin.PluginInfo();
    info.setVersion("4.21.2");
    return info;
  }),

  getSchema: unary(() => {
    const response = new provider.GetSchemaResponse();
    response.setSchema(JSON.stringify({ name: "random", version: "4.21.2" }));
    return response;
  }),

  checkConfig: unary((request: CheckRequest) => {
    const response = new provider.CheckResponse();
    response.setInputs(request.getNews());
    return response;
  }),

  diffConfig: unary(() => new provider.DiffResponse()),

  configure: unary(() => {
    const response = new provider.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  }),

  check: unary((request: CheckRequest) => {
    isSecretType(typeOf(request.getUrn()));
    const { inputs, problems } = checkInputs(fromStruct(request.getNews()));
    const response = new provider.CheckResponse();
    response.setInputs(toStruct(inputs));
    for (const { property, reason } of problems) {
      const failure = new provider.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      response.addFailures(failure);
    }
    return response;
  }),

  diff: unary((request: DiffRequest) => {
    const ignored = request.getIgnorechangesList();
    const changed = changedProperties(fromStruct(request.getOldInputs()), fromStruct(request.getNews()));
    const replaces = changed.filter((property) => !ignored.includes(property));
    const response = new provider.DiffResponse();
    response.setChanges(
      replaces.length === 0 ? provider.DiffResponse.DiffChanges.DIFF_NONE : provider.DiffResponse.DiffChanges.DIFF_SOME,
    );
    response.setReplacesList([...replaces]);
    response.setDiffsList([...replaces]);
    return response;
  }),

  create: unary((request: CreateRequest) => {
    const inputs = fromStruct(request.getProperties());
    const response = new provider.CreateResponse();
    if (request.getPreview()) {
      isSecretType(typeOf(request.getUrn()));
      response.setProperties(toStruct({ ...inputs, result: unknown }));
      return response;
    }
    const { id, state } = createState(typeOf(request.getUrn()), inputs);
    response.setId(id);
    response.setProperties(toStruct(state));
    return response;
  }),

  // The value exists nowhere but in the state.
  read: unary((request: ReadRequest) => {
    const properties = request.getProperties();
    if (properties === undefined || properties.getFieldsMap().getLength() === 0) {
      throw new Error("the stand-in for the random plugin imports nothing: let it generate the value");
    }
    const response = new provider.ReadResponse();
    response.setId(request.getId());
    response.setProperties(properties);
    response.setInputs(request.getInputs());
    return response;
  }),

  // Every change of an input is a replacement; what is left is an update of ignored properties, which keeps the value.
  update: unary((request: UpdateRequest) => {
    const response = new provider.UpdateResponse();
    response.setProperties(toStruct({ ...fromStruct(request.getOlds()), ...fromStruct(request.getNews()) }));
    return response;
  }),

  delete: unary(() => new empty.Empty()),
  cancel: unary(() => new empty.Empty()),
};

await serve(providerGrpc.ResourceProviderService, handlers);
