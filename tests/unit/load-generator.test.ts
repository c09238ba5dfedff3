import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type LoadOptions, startLoad } from "../../local/load/load.ts";

const hostname = "taskflow.localhost";
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function origin(handler: Handler): Promise<{ host: "127.0.0.1"; port: number }> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** A healthy service: every tenth page and call comes from green, and assets from the colour in their path. */
function healthy(): Handler {
  const turns = { page: 0, api: 0 };
  return ({ url = "/" }, response) => {
    const asset = /^\/assets\/(blue|green)\//.exec(url)?.[1];
    const kind = url === "/" ? "page" : "api";
    if (!asset) turns[kind] += 1;
    const colour = asset ?? (turns[kind] % 10 === 0 ? "green" : "blue");
    const body = url === "/" ? `<script src="/assets/${colour}/app.js"></script>` : "{}";
    response.writeHead(200, { "x-taskflow-colour": colour, "x-taskflow-version": colour }).end(body);
  };
}

describe("the load generator", () => {
  it.each<[string, Partial<Record<keyof LoadOptions, unknown>>]>([
    ["origin.host", { origin: { host: "10.0.0.1", port: 80 } }],
    ["origin.host", { origin: { host: "localhost", port: 80 } }],
    ["origin.port", { origin: { host: "127.0.0.1", port: 0 } }],
    ["requestsPerSecond", { requestsPerSecond: 501 }],
    ["requestsPerSecond", { requestsPerSecond: Number.NaN }],
    ["seconds", { seconds: 601 }],
    ["newConnectionShare", { newConnectionShare: 1.1 }],
    ["slowMs", { slowMs: 0 }],
  ])("refuses what is not loopback or beyond its bounds: %s %j", async (name, change) => {
    const options = { origin: { host: "127.0.0.1", port: 80 }, hostname, requestsPerSecond: 10, seconds: 1, ...change };
    await expect(startLoad(options as LoadOptions)).rejects.toThrow(name);
  });

  it("measures rate, share and windows of a healthy service, partly on new connections", async () => {
    const connections = new Set<unknown>();
    const handler = healthy();
    const address = await origin((request, response) => {
      connections.add(request.socket);
      expect(request.headers.host).toBe(`${hostname}:${address.port}`);
      handler(request, response);
    });
    const load = await startLoad({ origin: address, hostname, requestsPerSecond: 300, seconds: 20 });
    const window = load.window();
    await delay(1_500);
    const sample = await window.end();
    const all = await load.stop();
    expect(sample.failures).toEqual([]);
    // 300 a second of the time that the window really took; a busy machine sends late, but no more and no less.
    const sent = sample.requests / ((sample.to - sample.from) / 1000);
    expect(sent).toBeGreaterThan(240);
    expect(sent).toBeLessThan(360);
    expect(Math.abs(sample.share.green - 10)).toBeLessThan(2);
    expect(load.samples()).toEqual([sample]);
    expect(all.requests).toBeGreaterThan(sample.requests);
    expect(all.failed).toBe(0);
    // Each request of every fifth visit has a connection of its own; the kept ones are few.
    expect(connections.size / all.requests).toBeGreaterThan(0.18);
    expect(connections.size / all.requests).toBeLessThan(0.35);
  });

  it("gives each request to exactly one of two adjacent windows", async () => {
    const load = await startLoad({ origin: await origin(healthy()), hostname, requestsPerSecond: 300, seconds: 20 });
    await delay(700);
    const all = await load.stop();
    const cut = all.to / 2;
    const [one, other] = [await load.sample(0, cut), await load.sample(cut, all.to)];
    expect(one.requests + other.requests).toBe(all.requests);
  });

  it("counts errors, resets, slow answers, broken bodies and strangers as failed, once each, and says why", async () => {
    const turn = { page: 0, api: 0 };
    const ok = { "x-taskflow-colour": "blue", "x-taskflow-version": "1" };
    const address = await origin(({ url, socket }, response) => {
      if (url === "/") {
        turn.page += 1;
        if (turn.page % 4 === 0) response.writeHead(503, ok).end();
        else if (turn.page % 4 === 1) socket.destroy();
        else if (turn.page % 4 === 2) response.writeHead(200).end('<script src="/a.js">');
        else response.writeHead(200, ok).end('<script src="/a.js">');
      } else if (url === "/a.js") response.writeHead(200, { ...ok, "x-taskflow-version": "2" }).end();
      else {
        turn.api += 1;
        if (turn.api % 3 === 0) setTimeout(() => response.writeHead(200, ok).end(), 2_000).unref();
        else if (turn.api % 3 === 1)
          response.writeHead(200, { ...ok, "content-length": 10 }).write("half", () => socket.destroy());
        else response.writeHead(200, ok).end();
      }
    });
    const load = await startLoad({ origin: address, hostname, requestsPerSecond: 90, seconds: 5, slowMs: 200 });
    await delay(1_500);
    const sample = await load.stop();
    const counts = Object.fromEntries(sample.failures.map(({ reason, count }) => [reason, count]));
    expect(Object.keys(counts).sort()).toEqual([
      "api: closed before the end of the answer",
      "api: slower than 200 ms",
      "asset: from blue 2, its page from blue 1",
      "page: ECONNRESET socket hang up",
      "page: no x-taskflow-colour",
      "page: status 503",
    ]);
    const told = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(told).toBe(sample.failed);
    expect(sample.requests).toBe(turn.page + turn.api + (counts["asset: from blue 2, its page from blue 1"] ?? 0));
  });

  it("keeps its rate while the service hangs, and recovers", async () => {
    const handler = healthy();
    let hangs = true;
    const address = await origin((request, response) => {
      if (!hangs) handler(request, response);
    });
    const load = await startLoad({ origin: address, hostname, requestsPerSecond: 300, seconds: 10, slowMs: 500 });
    await delay(1_000);
    hangs = false;
    const during = await load.sample(0, 900);
    expect(during.failed).toBe(during.requests);
    // Hundred visits a second, whose page and API call are sent one after the other.
    expect(during.requests).toBeGreaterThanOrEqual(90);
    const after = load.window();
    await delay(1_000);
    const recovered = await after.end();
    expect(recovered.failed).toBe(0);
    expect(recovered.requests).toBeGreaterThan(280);
    await load.stop();
  });

  it("says that it was started for too short a time instead of measuring nothing", async () => {
    const load = await startLoad({ origin: await origin(healthy()), hostname, requestsPerSecond: 30, seconds: 1 });
    await delay(1_500);
    await expect(load.window().end()).rejects.toThrow("start it with more seconds");
    expect((await load.stop()).requests).toBe(30);
  });
});
