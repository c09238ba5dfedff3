import { fstatSync } from "node:fs";
import process from "node:process";
import grpc from "@grpc/grpc-js";

/** The engine's own limit: an exported object may be large, and the library's default of 4 MB would cut it off. */
const messageLimit = 400 * 1024 * 1024;

export const channelOptions = {
  "grpc.max_receive_message_length": messageLimit,
  "grpc.max_send_message_length": messageLimit,
};

/** A unary method: takes the request, returns the response; what it throws becomes the call's error. */
export type Unary<Request, Response> = (request: Request) => Response | Promise<Response>;

/** An error that carries its own gRPC status (details for the engine ride in the metadata). */
export class StatusError extends Error {
  readonly code: number;
  readonly metadata: grpc.Metadata | undefined;

  constructor(message: string, code: number, metadata?: grpc.Metadata) {
    super(message);
    this.name = "StatusError";
    this.code = code;
    this.metadata = metadata;
  }
}

/** Makes a gRPC handler of a plain function. */
export function unary<Request, Response>(work: Unary<Request, Response>): grpc.handleUnaryCall<Request, Response> {
  return (call, done) => {
    Promise.resolve()
      .then(() => work(call.request))
      .then(
        (response) => done(null, response),
        (error: unknown) => done(asServiceError(error)),
      );
  };
}

function asServiceError(error: unknown): Partial<grpc.ServiceError> {
  if (error instanceof StatusError) {
    return error.metadata === undefined
      ? { code: error.code, details: error.message }
      : { code: error.code, details: error.message, metadata: error.metadata };
  }
  const details = error instanceof Error ? error.message : String(error);
  return { code: grpc.status.UNKNOWN, details };
}

/**
 * Serves a plugin as the engine expects it: on a loopback port of its own, whose number is the first line on standard output.
 * The process ends when the engine does: a killed engine cannot stop its plugins, but it closes their standard input.
 */
export async function serve(
  service: grpc.ServiceDefinition,
  handlers: grpc.UntypedServiceImplementation,
  ending: () => void = () => {},
): Promise<void> {
  const server = new grpc.Server(channelOptions);
  server.addService(service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  process.stdout.write(`${port}\n`);
  const end = () => {
    ending();
    process.exit(0);
  };
  // The engine ends a plugin by SIGINT, and waits five seconds for it. (Ctrl-C does not reach a plugin as a signal: it runs in a
  // process group of its own, and is told by its Cancel method.)
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const input = fstatSync(0);
  if (input.isFIFO() || input.isSocket()) process.stdin.on("end", end).resume();
}

/** The engine's address: always the last argument of a plugin. */
export function engineAddress(): string {
  const address = process.argv.slice(2).findLast((argument) => !argument.startsWith("-"));
  if (address === undefined) throw new Error("a plugin is started by the Pulumi engine, with its address as argument");
  return address;
}
