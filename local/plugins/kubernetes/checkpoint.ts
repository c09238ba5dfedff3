import { createHash, randomBytes } from "node:crypto";
import grpc from "@grpc/grpc-js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import anyProto from "google-protobuf/google/protobuf/any_pb.js";
import { type Properties, toStruct } from "../rpc/properties.ts";
import { StatusError } from "../rpc/serve.ts";
import { withoutManagedFields } from "./cluster.ts";
import { annotation, apiVersionOf, type KubeObject, textAt } from "./json.ts";
import { markSecrets } from "./secrets.ts";

/** What a resource's state holds beside the live object. */
export interface Origin {
  /** The name under which the object's fields are applied. */
  readonly fieldManager: string;
  readonly initialApiVersion: string;
}

/** The origin that a state tells, or a new one. */
export function originOf(state: Properties, inputs: KubeObject, urn: string): Origin {
  const asked = annotation(inputs, "pulumi.com/patchFieldManager");
  const known = textAt(state, "__fieldManager");
  return {
    fieldManager: asked !== "" ? asked : known !== "" ? known : newManager(urn),
    initialApiVersion: textAt(state, "__initialApiVersion") || apiVersionOf(inputs),
  };
}

function newManager(urn: string): string {
  return `pulumi-kubernetes-${createHash("sha256").update(urn).update(randomBytes(16)).digest("hex").slice(0, 8)}`;
}

/** The state of a resource: the live object, its inputs, and what is secret in either marked as such. */
export function checkpoint(inputs: KubeObject, live: KubeObject, told: Properties, origin: Origin): Properties {
  return {
    ...markSecrets(withoutManagedFields(live), told),
    __inputs: markSecrets(inputs, told),
    __initialApiVersion: origin.initialApiVersion,
    __fieldManager: origin.fieldManager,
  };
}

/** The error of a resource that exists but did not become what it should: the engine keeps its state and tries again next time. */
export function initialisationError(
  message: string,
  reasons: readonly string[],
  id: string,
  state: Properties,
  inputs?: Properties,
): StatusError {
  const detail = new provider.ErrorResourceInitFailed();
  detail.setId(id);
  detail.setProperties(toStruct(state));
  detail.setReasonsList([message, ...reasons]);
  if (inputs !== undefined) detail.setInputs(toStruct(inputs));
  const any = new anyProto.Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusProto.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return new StatusError(message, grpc.status.UNKNOWN, metadata);
}
