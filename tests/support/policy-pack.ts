import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import grpc from "@grpc/grpc-js";
import analyzerGrpc from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";
import { places } from "../../local/places.ts";
import { type Properties, toStruct } from "../../local/plugins/rpc/properties.ts";
import { type Circumstances, circumstancesVariable } from "../../policies/circumstances.ts";
import type { Level } from "../../policies/rule.ts";

/** A resource as the engine would send it to the pack. */
export interface Sent {
  readonly type: string;
  readonly name: string;
  readonly properties: Properties;
  readonly protect?: boolean;
}

/** What the pack said of it. */
export interface Said {
  readonly rule: string;
  readonly level: Level;
  readonly message: string;
  readonly urn: string;
}

/** The real pack, in a process of its own behind CrossGuard's own server, asked as the engine asks it. */
export class RunningPack {
  readonly #process: ChildProcess;
  readonly #client: InstanceType<typeof analyzerGrpc.AnalyzerClient>;

  private constructor(child: ChildProcess, port: string) {
    this.#process = child;
    this.#client = new analyzerGrpc.AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  }

  /** @throws Error with what it printed, when it ends before it serves. `told`: the text of the variable; undefined for none. */
  static async start(told: Circumstances | string | undefined): Promise<RunningPack> {
    const directory = join(places.root, "policies");
    const launcher = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
    const { [circumstancesVariable]: _, ...env } = process.env;
    const text = typeof told === "object" ? JSON.stringify(told) : told;
    const child = spawn(process.execPath, [launcher, "127.0.0.1:1", directory], {
      cwd: directory,
      env: text === undefined ? env : { ...env, [circumstancesVariable]: text },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed: string[] = [];
    child.stderr.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    const [first] = await Promise.race([
      once(createInterface({ input: child.stdout }), "line") as Promise<[string]>,
      once(child, "close").then((): [undefined] => [undefined]),
    ]);
    if (first === undefined) throw new Error(printed.join(""));
    return new RunningPack(child, first);
  }

  /** Ids of its policies, with the level of each. */
  async levels(): Promise<Readonly<Record<string, Level>>> {
    const { default: empty } = await import("google-protobuf/google/protobuf/empty_pb.js");
    const info = await new Promise<InstanceType<typeof analyzer.AnalyzerInfo>>((resolve, reject) =>
      this.#client.getAnalyzerInfo(new empty.Empty(), (error, response) => (error ? reject(error) : resolve(response))),
    );
    return Object.fromEntries(
      info.getPoliciesList().map((policy) => [policy.getName(), levelOf(policy.getEnforcementlevel())]),
    );
  }

  /** Judges one resource, before it is written. */
  analyze(sent: Sent): Promise<readonly Said[]> {
    const request = new analyzer.AnalyzeRequest();
    fill(request, sent);
    return this.#ask((callback) => this.#client.analyze(request, callback));
  }

  /** Judges a whole stack, at its end. */
  analyzeStack(resources: readonly Sent[]): Promise<readonly Said[]> {
    const request = new analyzer.AnalyzeStackRequest();
    request.setResourcesList(resources.map((sent) => fill(new analyzer.AnalyzerResource(), sent)));
    return this.#ask((callback) => this.#client.analyzeStack(request, callback));
  }

  /** Ends it as the engine does: it holds nothing. */
  async end(): Promise<void> {
    this.#client.close();
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  async #ask(send: (callback: Callback) => unknown): Promise<readonly Said[]> {
    const response = await new Promise<Response>((resolve, reject) =>
      send((error, answer) => (error ? reject(error) : resolve(answer))),
    );
    return response.getDiagnosticsList().map((diagnostic) => ({
      rule: diagnostic.getPolicyname(),
      level: levelOf(diagnostic.getEnforcementlevel()),
      message: diagnostic.getMessage(),
      urn: diagnostic.getUrn(),
    }));
  }
}

type Response = InstanceType<typeof analyzer.AnalyzeResponse>;
type Callback = (error: grpc.ServiceError | null, response: Response) => void;
type Request = InstanceType<typeof analyzer.AnalyzeRequest> | InstanceType<typeof analyzer.AnalyzerResource>;

function fill<T extends Request>(request: T, { type, name, properties, protect = false }: Sent): T {
  const options = new analyzer.AnalyzerResourceOptions();
  options.setProtect(protect);
  options.setCustomtimeouts(new analyzer.AnalyzerResourceOptions.CustomTimeouts());
  request.setType(type);
  request.setName(name);
  request.setUrn(urnOf({ type, name }));
  request.setProperties(toStruct(properties));
  request.setOptions(options);
  return request;
}

export const urnOf = ({ type, name }: Pick<Sent, "type" | "name">) => `urn:pulumi:production::golive::${type}::${name}`;

function levelOf(level: number): Level {
  const { ADVISORY, MANDATORY, DISABLED } = analyzer.EnforcementLevel;
  const known: Readonly<Record<number, Level>> = {
    [ADVISORY]: "advisory",
    [MANDATORY]: "mandatory",
    [DISABLED]: "disabled",
  };
  const { [level]: name } = known;
  if (name === undefined) throw new Error(`the pack gave a level that nobody asked for: ${level}`);
  return name;
}
