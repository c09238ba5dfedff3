import { type IncomingMessage, request as plain } from "node:http";
import { type RequestOptions, request as secure } from "node:https";
import type { KubeAnswer, KubeRequest } from "./api.ts";

/** One question to an API server and its answer; `options` say who asks, and whom to trust. */
export async function exchange(url: URL, question: KubeRequest, options: RequestOptions): Promise<KubeAnswer> {
  const { method, body, contentType = "application/json" } = question;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...options.headers,
    accept: "application/json",
    ...(text === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(text) }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === "http:" ? plain : secure;
    const request = send(url, { ...options, method, headers }, resolve);
    // Both addresses of a host failed: the reason stands in the parts.
    request.on("error", (error) => reject(error instanceof AggregateError ? (error.errors[0] ?? error) : error));
    request.end(text);
  });
  response.setEncoding("utf8");
  let answer = "";
  for await (const chunk of response) answer += chunk;
  const at = new Date(response.headers.date ?? "");
  if (Number.isNaN(at.getTime())) throw new Error("the API server's answer says no time: it has no Date header");
  return { status: response.statusCode ?? 0, body: answer, at };
}
