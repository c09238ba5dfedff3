import process from "node:process";
import type grpc from "@grpc/grpc-js";
import languageGrpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import type {
  AboutRequest,
  GetProgramDependenciesRequest,
  GetRequiredPackagesRequest,
  InstallDependenciesRequest,
  LanguageHandshakeRequest,
  RunRequest,
} from "@pulumi/pulumi/proto/language_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { engineAddress, serve, unary } from "../rpc/serve.ts";
import { dependencies, requiredPlugins } from "./packages.ts";
import { PolicyPacks } from "./policy-pack.ts";
import { Program } from "./program.ts";

/** The stand-in for the engine's nodejs plugin: runs a program that Node can run as it stands. */
const program = new Program();
const packs = new PolicyPacks();
const engine = engineAddress();

const handlers: grpc.UntypedServiceImplementation = {
  handshake: unary((_: LanguageHandshakeRequest) => new language.LanguageHandshakeResponse()),

  getPluginInfo: unary(() => new plugin.PluginInfo()),

  getRequiredPackages: unary((request: GetRequiredPackagesRequest) => {
    const response = new language.GetRequiredPackagesResponse();
    for (const { name, version } of requiredPlugins(request.getInfo()?.getProgramDirectory() ?? process.cwd())) {
      const dependency = new plugin.PackageDependency();
      dependency.setName(name);
      dependency.setKind("resource");
      dependency.setVersion(version);
      response.addPackages(dependency);
    }
    return response;
  }),

  getProgramDependencies: unary((request: GetProgramDependenciesRequest) => {
    const response = new language.GetProgramDependenciesResponse();
    for (const { name, version } of dependencies(request.getInfo()?.getProgramDirectory() ?? process.cwd())) {
      const dependency = new language.DependencyInfo();
      dependency.setName(name);
      dependency.setVersion(version);
      response.addDependencies(dependency);
    }
    return response;
  }),

  about: unary((_: AboutRequest) => {
    const response = new language.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    return response;
  }),

  runtimeOptionsPrompts: unary(() => new language.RuntimeOptionsResponse()),

  run: unary(async (request: RunRequest) => {
    const { error, bail } = await program.run(request, engine);
    const response = new language.RunResponse();
    response.setError(error);
    response.setBail(bail);
    return response;
  }),

  cancel: unary(() => {
    program.interrupt();
    return new empty.Empty();
  }),

  // Packages are installed by ./golive, from the lock file; `pulumi install` finds nothing left to do.
  installDependencies: (call: grpc.ServerWritableStream<InstallDependenciesRequest, unknown>) => call.end(),

  runPlugin: (call: Parameters<PolicyPacks["run"]>[0]) => packs.run(call),
};

await serve(languageGrpc.LanguageRuntimeService, handlers, () => {
  packs.end();
  program.interrupt();
});
