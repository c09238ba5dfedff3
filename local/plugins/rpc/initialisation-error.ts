import grpc from "@grpc/grpc-js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import anyProto from "google-protobuf/google/protobuf/any_pb.js";
import { type Properties, toStruct } from "./properties.ts";
import { StatusError } from "./serve.ts";

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
