import type { RequestListener } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { ApiServers, answerJson } from "../support/api-server.ts";

const servers = new ApiServers();
afterEach(() => servers.stop());
afterAll(() => servers.remove());

async function api(answer: RequestListener, path = "") {
  const config = new KubeConfig();
  config.loadFromFile(servers.kubeconfig(`${await servers.serve(answer)}${path}`));
  config.setCurrentContext("golive-local");
  return kubeApi(config);
}

describe("an API server, as a kubeconfig's user", () => {
  it("gets the body with its type, and its answer of any status is one", async () => {
    const got = Promise.withResolvers<unknown>();
    const asking = await api((request, answer) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        const { method, url, headers } = request;
        got.resolve({ method, url, type: headers["content-type"], body });
        answerJson(answer, 409, { message: "it was changed" });
      });
    });
    const patch = { metadata: { annotations: { "golive/trip": "green: é" } } };
    const contentType = "application/merge-patch+json";
    const { status, body } = await asking.ask({ method: "PATCH", path: "/apis/x?y=%20z", body: patch, contentType });
    expect({ status, body }).toEqual({ status: 409, body: '{"message":"it was changed"}' });
    expect(await got.promise).toEqual({
      method: "PATCH",
      url: "/apis/x?y=%20z",
      type: contentType,
      body: JSON.stringify(patch),
    });
  });

  it("says what time it is: a clock of this machine that is off changes nothing", async () => {
    const asking = await api((_, answer) => {
      answer.setHeader("date", "Sat, 21 Nov 2026 12:00:00 GMT");
      answerJson(answer, 200, {});
    });
    expect((await asking.ask({ method: "GET", path: "/version" })).at).toEqual(new Date("2026-11-21T12:00:00Z"));
  });

  it("is not believed to have a time that it does not say", async () => {
    const asking = await api((_, answer) => {
      answer.sendDate = false;
      answerJson(answer, 200, {});
    });
    await expect(asking.ask({ method: "GET", path: "/version" })).rejects.toThrow(
      "the API server's answer says no time: it has no Date header",
    );
  });

  it("may be behind a proxy that has a path of its own", async () => {
    const asking = await api((request, answer) => answerJson(answer, 200, { url: request.url }), "/k8s/clusters/c-1/");
    const { body } = await asking.ask({ method: "GET", path: "/version" });
    expect(JSON.parse(body)).toEqual({ url: "/k8s/clusters/c-1/version" });
  });

  it("breaks off in the middle of an answer: that is none", async () => {
    const asking = await api((_, answer) => {
      answer.writeHead(200, { "content-length": "100" });
      answer.write("{");
      setImmediate(() => answer.destroy());
    });
    await expect(asking.ask({ method: "GET", path: "/version" })).rejects.toThrow("aborted");
  });
});
