import grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import { channelOptions } from "./serve.ts";

/** Tells the user something about one resource (or, with an empty urn, about the run). */
export interface EngineLog {
  /** A message that stays. */
  say(severity: "info" | "warning" | "error", message: string, urn: string): Promise<void>;
  /** The resource's status line, shown while it is worked on; an empty message clears it. */
  status(message: string, urn: string, severity?: "info" | "warning"): Promise<void>;
}

const severities = {
  info: engine.LogSeverity.INFO,
  warning: engine.LogSeverity.WARNING,
  error: engine.LogSeverity.ERROR,
} as const;

export function engineLog(address: string): EngineLog {
  const client = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure(), channelOptions);
  const log = (severity: keyof typeof severities, message: string, urn: string, ephemeral: boolean) => {
    const request = new engine.LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    // A message that cannot be delivered must not fail the resource it is about: the engine may be ending already.
    return new Promise<void>((resolve) => client.log(request, () => resolve()));
  };
  return {
    say: (severity, message, urn) => log(severity, message, urn, false),
    status: (message, urn, severity = "info") => log(severity, message, urn, true),
  };
}

/** Shows a line; resolves when it is shown. */
export type StatusLine = (message: string, severity?: "info" | "warning") => Promise<void>;

/** The status line of one resource: its messages come in order, and one that is shown already is not sent again. */
export function statusLine(log: EngineLog, urn: string): StatusLine {
  let shown = "";
  let sent = Promise.resolve();
  return (message, severity = "info") => {
    if (message === shown) return sent;
    shown = message;
    sent = sent.then(() => log.status(message, urn, severity));
    return sent;
  };
}
