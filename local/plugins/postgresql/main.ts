import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { serve } from "../rpc/serve.ts";
import { PostgresqlProvider } from "./provider.ts";

/** The stand-in for the plugin of @pulumi/postgresql. */
const provider = new PostgresqlProvider();
await serve(providerGrpc.ResourceProviderService, provider.handlers(), () => provider.close());
