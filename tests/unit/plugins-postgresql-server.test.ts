import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server as Listener, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { authority, issue } from "../../local/cluster/certificate.ts";
import { changedArguments, configProblems, parseConfig } from "../../local/plugins/postgresql/config.ts";
import { verifierOf } from "../../local/plugins/postgresql/scram.ts";
import { Server } from "../../local/plugins/postgresql/server.ts";
import { Secret, unknown } from "../../local/plugins/rpc/properties.ts";

const config = (values: Readonly<Record<string, string>>) =>
  parseConfig(new Map(Object.entries(values).map(([name, value]) => [`postgresql:config:${name}`, value])));

describe("the provider's arguments", () => {
  const usual = { host: "db", sslmode: "disable" };

  it("are read from the engine's variables, with the plugin's defaults", () => {
    expect(config(usual)).toEqual({
      host: "db",
      port: 5432,
      username: "postgres",
      password: undefined,
      database: "postgres",
      tls: "disable",
      superuser: true,
      connectSeconds: 180,
    });
    const given = {
      host: "::1",
      port: "15432",
      username: "admin",
      password: "x",
      database: "d",
      sslmode: "verify-full",
      sslrootcert: "/ca.crt",
      superuser: "false",
      connectTimeout: "10",
    };
    expect(config(given)).toEqual({
      host: "::1",
      port: 15432,
      username: "admin",
      password: "x",
      database: "d",
      tls: { rootCertificate: "/ca.crt" },
      superuser: false,
      connectSeconds: 10,
    });
  });

  it("that are missing or wrong are named before anything is connected to", () => {
    expect(() => config({ port: "abc" })).toThrow(
      "the configuration of the postgresql provider is not usable: postgresql:host: it is missing; name the server's host; " +
        "postgresql:port: got abc; it must be a whole number of at least 1; " +
        "postgresql:sslmode: got nothing, which means require; allowed here: disable, verify-full (require encrypts, " +
        "but to a server that nobody has checked: anyone in between could be it)",
    );
    expect(configProblems({ ...usual, sslmode: "prefer" })).toEqual([
      { property: "sslmode", reason: "got prefer; allowed here: disable, verify-full" },
    ]);
  });

  it("that the stand-in would have to ignore are refused, each by name", () => {
    const reason =
      "the stand-in for the postgresql plugin does not have this option; the real plugin does (GOLIVE_PLUGINS)";
    expect(
      configProblems({ ...usual, scheme: "gcppostgres", maxConnections: "3", awsRdsIamAuth: null, version: "3.18.1" }),
    ).toEqual([
      { property: "scheme", reason },
      { property: "maxConnections", reason },
    ]);
  });

  it("that are not known yet are not judged", () => {
    const made = { host: unknown, sslmode: "disable", password: new Secret(unknown), port: unknown };
    expect(configProblems(made)).toEqual([]);
  });

  it("are compared without what is secret about them", () => {
    const olds = { host: "a", port: "1", password: new Secret("x") };
    expect(changedArguments(olds, { host: "a", port: "2", password: new Secret("x") })).toEqual(["port"]);
    expect(changedArguments(olds, { ...olds, password: new Secret("y") })).toEqual(["password"]);
  });
});

describe("a connection", () => {
  const ca = authority("test", 1);
  const open = new Set<Socket>();
  let listener: Listener | undefined;
  let server: Server | undefined;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-postgresql-"));
    await writeFile(join(directory, "ca.crt"), ca.certificate);
  });
  afterEach(() => {
    server?.close();
    for (const socket of open) socket.destroy();
    listener?.close();
  });
  afterAll(() => rm(directory, { recursive: true }));

  /** A server that does this with each connection, and the work of the plugin with it. */
  async function withServer(answer: (socket: Socket) => void, more: Readonly<Record<string, string>> = {}) {
    listener = createServer((socket) => {
      open.add(socket.on("error", () => {}));
      answer(socket);
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const usual = { host: "127.0.0.1", port: String(port), sslmode: "disable", password: "not-to-be-shown" };
    server = new Server(config({ ...usual, connectTimeout: "1", ...more }));
    const said = server
      .transaction("do something", (session) => session.query("select 1"))
      .then(
        () => "nothing",
        (error: Error) => error.message.replaceAll(String(port), "PORT"),
      );
    return { server, said };
  }

  /** PostgreSQL's message of an error. */
  const refusal = (code: string, message: string) => {
    const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
    const head = Buffer.alloc(5, "E");
    head.writeInt32BE(fields.length + 4, 1);
    return Buffer.concat([head, fields]);
  };

  it.each([
    [
      "28P01",
      "password authentication failed",
      "PostgreSQL at 127.0.0.1:PORT does not let the login postgres in: password authentication failed (28P01). " +
        "Check the provider's username and password",
    ],
    [
      "3D000",
      'database "postgres" does not exist',
      "PostgreSQL at 127.0.0.1:PORT has no database postgres (login postgres). What names it must come after it " +
        "(dependsOn); if it was removed by hand, pulumi refresh takes it out of the state",
    ],
    [
      "53300",
      "too many clients already",
      "cannot reach PostgreSQL at 127.0.0.1:PORT (login postgres, database postgres): too many clients already (53300). " +
        "Check that the server runs, that this machine may reach it, and the provider's host, port and sslmode",
    ],
  ])("that the server refuses with %s says what to do", async (code, message, expected) => {
    const { said } = await withServer((socket) => socket.once("data", () => socket.end(refusal(code, message))));
    expect(await said).toBe(expected);
  });

  it("that nobody answers ends after the time limit, with the server's name", async () => {
    const { said } = await withServer(() => {});
    expect(await said).toMatch(
      /^cannot reach PostgreSQL at 127\.0\.0\.1:PORT \(login postgres, database postgres\): timeout expired\. Check/,
    );
  });

  it("that the server ends at once says so", async () => {
    const { said } = await withServer((socket) => socket.once("data", () => socket.destroy()));
    expect(await said).toMatch(/^cannot reach PostgreSQL at 127\.0\.0\.1:PORT .*: Connection terminated unexpectedly/);
  });

  it("that is still being made ends when the run is cancelled, and nothing begins after that", async () => {
    const { server: cancelled, said } = await withServer(() => {}, { connectTimeout: "600" });
    cancelled.close();
    expect(await said).toBe("the run was cancelled");
    await expect(cancelled.transaction("go on", async () => {})).rejects.toThrow("the run was cancelled");
  });

  describe("with TLS", () => {
    const secured = (hosts: readonly string[]) => {
      const { key, certificate } = issue(ca, { subject: { name: "postgres" }, hosts, validDays: 1 });
      return (socket: Socket) =>
        socket.once("data", () => {
          socket.write("S");
          const inside = new TLSSocket(socket, { isServer: true, key, cert: certificate });
          inside.on("error", () => {});
          inside.once("data", () => inside.end(refusal("28P01", "inside")));
        });
    };
    const verified = () => ({ sslmode: "verify-full", sslrootcert: join(directory, "ca.crt") });

    it("is made to a server whose certificate is for its address, by the given authority", async () => {
      const { said } = await withServer(secured(["127.0.0.1"]), verified());
      expect(await said).toContain("does not let the login postgres in: inside (28P01)");
    });

    it("is not made to a server with somebody else's certificate", async () => {
      const { said } = await withServer(secured(["localhost", "elsewhere"]), verified());
      expect(await said).toMatch(/Hostname\/IP does not match certificate's altnames: IP: 127\.0\.0\.1 is not in/);
    });

    it("is not made to a server whose certificate nobody vouches for", async () => {
      const { said } = await withServer(secured(["127.0.0.1"]), { sslmode: "verify-full" });
      expect(await said).toMatch(/unable to verify the first certificate|self-signed certificate/);
    });

    it("is not made to a server that has none", async () => {
      const { said } = await withServer((socket) => socket.once("data", () => socket.write("N")), verified());
      expect(await said).toContain("The server does not support SSL connections");
    });

    it("says which file of certificates it cannot read", async () => {
      const { said } = await withServer(() => {}, { sslmode: "verify-full", sslrootcert: "/nowhere/ca.crt" });
      expect(await said).toMatch(
        /^sslrootcert: \/nowhere\/ca\.crt cannot be read: ENOENT.*; name a file of certificates in PEM$/,
      );
    });
  });
});

describe("a password's verifier", () => {
  it("is the one of RFC 7677", () => {
    const verifier = verifierOf("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
    expect(verifier).toMatch(/^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
    // The server's half of the exchange that the RFC gives as its example.
    const nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,${nonce}`;
    const serverKey = Buffer.from(verifier.split(":").at(-1) ?? "", "base64");
    const signature = createHmac("sha256", serverKey).update(exchange).digest("base64");
    expect(signature).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });

  it("is another one each time, and what is one already stays as it is", () => {
    expect(verifierOf("a")).not.toBe(verifierOf("a"));
    const verifier = verifierOf("a");
    expect(verifierOf(verifier)).toBe(verifier);
    expect(verifierOf("md5c98cbfeb6a347a47eb8e96cfb4c4b890")).toBe("md5c98cbfeb6a347a47eb8e96cfb4c4b890");
  });
});
