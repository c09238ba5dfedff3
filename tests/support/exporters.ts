import { type ChildProcess, spawn } from "node:child_process";
import { freePort, soon } from "./local-stores.ts";
import { end, hasEnded } from "./sample-service.ts";

/** A server that a test started on loopback. */
export interface Started {
  readonly address: string;
  /** What it answers to GET. */
  get(path: string): Promise<string>;
}

/** Exporters and other servers as processes of this machine. */
export class Exporters {
  readonly #started: ChildProcess[] = [];

  /** Starts one that listens where `args` says, and waits until `path` answers. */
  async start(
    program: string,
    args: (address: string) => readonly string[],
    {
      environment = {},
      path = "/metrics",
    }: Partial<{ environment: Readonly<Record<string, string>>; path: string }> = {},
  ): Promise<Started> {
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(program, args(address), { env: { PATH: process.env.PATH, ...environment } });
    this.#started.push(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    const get = async (asked: string) => {
      const answer = await fetch(`http://${address}${asked}`);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${program} answers ${answer.status} to ${asked}: ${text}`);
      return text;
    };
    await soon(`${program} answers`, async () => hasEnded(child) || (await get(path)) !== "").catch(
      (error: unknown) => {
        throw new Error(`${program} does not answer:\n${said}`, { cause: error });
      },
    );
    if (hasEnded(child)) throw new Error(`${program} ended:\n${said}`);
    return { address, get };
  }

  /** Ends all of them. */
  async end(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((child) => end(child, "SIGTERM")));
  }
}
