import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Load, type LoadOptions, type Sample, startLoad } from "../../local/load/load.ts";

const hostname = "taskflow.localhost";
/** Patience of a request and of a test: on a busy machine everything takes longer, and nothing here may depend on it. */
const slowMs = 10_000;
const patience = 60_000;
/** A load that ends only when it is stopped. */
const unbroken = { hostname, requestsPerSecond: 300, seconds: 60, slowMs } as const;
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

/** The load up to its own end: a span beyond it is refused once all that was due has been sent and answered. */
async function whole(load: Load): Promise<Sample> {
  await expect(load.sample(0, 600_000)).rejects.toThrow("start it with more seconds");
  return await load.stop();
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

  it(
    "sends all that its rate and seconds make due, a fifth of the visits on new connections",
    async () => {
      const connections = new Set<unknown>();
      const hosts = new Set<unknown>();
      let ownConnection = 0;
      const handler = healthy();
      const address = await origin((request, response) => {
        connections.add(request.socket);
        hosts.add(request.headers.host);
        if (request.headers.connection === "close") ownConnection += 1;
        handler(request, response);
      });
      const load = await startLoad({ origin: address, hostname, requestsPerSecond: 300, seconds: 2, slowMs });
      const all = await whole(load);
      expect(all.failures).toEqual([]);
      expect([all.requests, all.failed, all.counted]).toEqual([600, 0, { blue: 360, green: 40 }]);
      expect(all.share.green).toBe(10);
      expect([...hosts]).toEqual([`${hostname}:${address.port}`]);
      // Every fifth of the 200 visits; the connections that are kept are used again.
      expect(ownConnection).toBe(120);
      expect(connections.size).toBeGreaterThan(ownConnection);
      expect(connections.size).toBeLessThan(all.requests);
    },
    patience,
  );

  it(
    "measures in a window what was sent in its span",
    async () => {
      const load = await startLoad({ origin: await origin(healthy()), ...unbroken });
      await load.sample(0, 200);
      const window = load.window();
      await load.sample(0, window.from + 300);
      const sample = await window.end();
      const all = await load.stop();
      expect(sample.from).toBe(window.from);
      expect(sample.requests).toBeGreaterThan(0);
      expect(sample.records).toEqual(all.records.filter(({ at }) => at >= sample.from && at < sample.to));
      expect(load.samples()).toEqual([sample]);
    },
    patience,
  );

  it(
    "gives each request to exactly one of two adjacent windows",
    async () => {
      const load = await startLoad({ origin: await origin(healthy()), ...unbroken });
      await load.sample(0, 600);
      const all = await load.stop();
      const cut = all.to / 2;
      const [one, other] = [await load.sample(0, cut), await load.sample(cut, all.to)];
      expect(one.requests + other.requests).toBe(all.requests);
    },
    patience,
  );

  it(
    "counts errors, resets, slow answers, broken bodies and strangers as failed, once each, and says why",
    async () => {
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
          // Every third is never answered.
          if (turn.api % 3 === 1)
            response.writeHead(200, { ...ok, "content-length": 10 }).write("half", () => socket.destroy());
          else if (turn.api % 3 === 2) response.writeHead(200, ok).end();
        }
      });
      const load = await startLoad({ origin: address, hostname, requestsPerSecond: 90, seconds: 1, slowMs: 2_000 });
      const sample = await whole(load);
      const counts = Object.fromEntries(sample.failures.map(({ reason, count }) => [reason, count]));
      // Thirty visits, of which seven get as far as the asset.
      expect(counts).toEqual({
        "api: closed before the end of the answer": 10,
        "api: slower than 2000 ms": 10,
        "asset: from blue 2, its page from blue 1": 7,
        "page: ECONNRESET socket hang up": 8,
        "page: no x-taskflow-colour": 8,
        "page: status 503": 7,
      });
      expect([sample.requests, sample.failed]).toEqual([67, 50]);
    },
    patience,
  );

  it(
    "goes on sending while the service hangs, counts that as failed, and recovers",
    async () => {
      const handler = healthy();
      const hanging = new Set<ServerResponse>();
      let hangs = true;
      let answered = 0;
      const address = await origin((request, response) => {
        if (hangs) {
          hanging.add(response);
          return;
        }
        answered += 1;
        handler(request, response);
      });
      const load = await startLoad({ origin: address, ...unbroken });
      // Nothing was answered yet and nothing is too slow yet: each of these is a visit that waited for no other one.
      await expect.poll(() => hanging.size, { timeout: 9_000 }).toBeGreaterThanOrEqual(100);
      hangs = false;
      for (const response of hanging) response.destroy();
      const after = load.window();
      await expect.poll(() => answered, { timeout: 9_000 }).toBeGreaterThanOrEqual(100);
      const recovered = await after.end();
      expect(recovered.failures).toEqual([]);
      expect(recovered.requests).toBeGreaterThan(0);
      const all = await load.stop();
      expect([all.failed, all.requests]).toEqual([hanging.size, hanging.size + answered]);
    },
    patience,
  );

  it(
    "says that it was started for too short a time instead of measuring nothing",
    async () => {
      const load = await startLoad({ origin: await origin(healthy()), hostname, requestsPerSecond: 30, seconds: 1 });
      await whole(load);
      await expect(load.window().end()).rejects.toThrow("start it with more seconds");
      expect((await load.stop()).requests).toBe(30);
    },
    patience,
  );
});
