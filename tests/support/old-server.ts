import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A message of PostgreSQL's protocol: its letter, its length, its body. */
function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

const text = 25;
const authenticated = message("R", int32(0));
const ready = message("Z", "I");

/** One row of text, whatever was asked. */
function answer(row: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(row);
  const fields = names.map((name) =>
    Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(text), int16(-1), int32(-1), int16(0)]),
  );
  const values = Object.values(row).map((value) => Buffer.concat([int32(value.length), Buffer.from(value)]));
  return Buffer.concat([
    message("T", int16(names.length), ...fields),
    message("D", int16(names.length), ...values),
    message("C", "SELECT 1\0"),
    ready,
  ]);
}

/**
 * Speaks enough of PostgreSQL's protocol to say its version: no server of that version can be had here. It lets everyone in
 * and answers every statement with `server_version_num` as `number` and `server_version` as `version`.
 */
export async function startOldServer(
  number: string,
  version: string,
): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    let started = false;
    socket.on("data", (data: Buffer) => {
      if (!started) socket.write(Buffer.concat([authenticated, ready]));
      else if (data.toString("latin1", 0, 1) === "Q") socket.write(answer({ number, version }));
      else socket.end();
      started = true;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
