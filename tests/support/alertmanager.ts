import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { monitoringTools } from "../../local/debian/monitoring-tools.ts";
import type { Labels } from "./alerts.ts";
import { end } from "./sample-service.ts";
import { until } from "./until.ts";

/** An alert as Alertmanager shows it: muted when another one speaks for it. */
export interface Shown {
  readonly labels: Labels;
  readonly muted: boolean;
}

interface Answered {
  readonly labels: Labels;
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
}

/** Debian's Alertmanager as a process of this machine, on loopback, alone. */
export class Alertmanager {
  readonly #process: ChildProcess;
  readonly #url: string;
  readonly #directory: string;

  private constructor(process: ChildProcess, url: string, directory: string) {
    this.#process = process;
    this.#url = url;
    this.#directory = directory;
  }

  static async start(configuration: string): Promise<Alertmanager> {
    const directory = await mkdtemp(join(tmpdir(), "golive-alertmanager-"));
    const file = join(directory, "alertmanager.yaml");
    await writeFile(file, configuration, { mode: 0o600 });
    const child = spawn(
      monitoringTools.alertmanager,
      [
        `--config.file=${file}`,
        `--storage.path=${directory}`,
        "--web.listen-address=127.0.0.1:0",
        // Without one it looks for peers and waits for them.
        "--cluster.listen-address=",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    const address = () => /msg="Listening on" address=(\S+)/.exec(said)?.[1];
    try {
      await until("Alertmanager listens", async () => {
        if (child.exitCode !== null) throw new Error(`Alertmanager ended with ${child.exitCode}:\n${said}`);
        return address() !== undefined;
      });
    } catch (error) {
      await end(child, "SIGKILL");
      throw error;
    }
    return new Alertmanager(child, `http://${address()}/api/v2`, directory);
  }

  /** Tells of alerts as Prometheus does, whose word holds for a while: here, for longer than any test. `resolved`: they are over. */
  async tell(alerts: readonly { readonly labels: Labels; readonly annotations?: Labels }[], resolved = false) {
    const endsAt = new Date(Date.now() + (resolved ? 0 : 600_000)).toISOString();
    const response = await fetch(`${this.#url}/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(
        alerts.map((alert) => ({ ...alert, endsAt, generatorURL: "http://prometheus.example.com/graph" })),
      ),
    });
    if (!response.ok) throw new Error(`Alertmanager took no alerts: ${response.status} ${await response.text()}`);
  }

  /** The alerts that fire, in some namespace. */
  async shown(namespace: string): Promise<readonly Shown[]> {
    const filter = encodeURIComponent(`namespace="${namespace}"`);
    const response = await fetch(`${this.#url}/alerts?filter=${filter}`);
    const answered = (await response.json()) as readonly Answered[];
    return answered.map(({ labels, status }) => ({ labels, muted: status.inhibitedBy.length > 0 }));
  }

  async stop(): Promise<void> {
    await end(this.#process, "SIGTERM");
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** What Alertmanager says to a webhook. */
export interface Call {
  readonly at: number;
  readonly receiver: string;
  readonly status: "firing" | "resolved";
  readonly commonLabels: Labels;
  readonly alerts: readonly { readonly status: "firing" | "resolved"; readonly labels: Labels }[];
}

/** An on-call tool that only listens. */
export class OnCallTool {
  readonly calls: Call[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      json(request).then(
        (call) => {
          this.calls.push({ ...(call as Omit<Call, "at">), at: Date.now() });
          response.end();
        },
        () => response.writeHead(400).end(),
      );
    });
  }

  /** `host`: the address of this machine to listen on. */
  async open(host = "127.0.0.1"): Promise<this> {
    this.#server.listen(0, host);
    await once(this.#server, "listening");
    return this;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}/hook`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
