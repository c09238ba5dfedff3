import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { engineLog } from "../rpc/engine-log.ts";
import { engineAddress, serve } from "../rpc/serve.ts";
import { KubernetesProvider } from "./provider.ts";

/** The stand-in for the plugin of @pulumi/kubernetes. */
const provider = new KubernetesProvider(engineLog(engineAddress()));
await serve(providerGrpc.ResourceProviderService, provider.handlers(), () => provider.cancel());
