import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { authorityVolume, connectionUrl, serverAddress } from "../../components/database/address.ts";
import { grantsOf } from "../../components/database/grants.ts";
import { migrationJobName } from "../../components/database/migration-job.ts";
import { recordAfter } from "../../components/database/migrations.ts";
import { programSettings } from "../../components/database/program-settings.ts";
import { forwardOf, reachDatabase, reachOf } from "../../components/database/reach.ts";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { activeLogin, passwordKeeper } from "../../components/database/rotation.ts";
import { parseSettings as parseProgramSettings } from "../../programs/database/settings-file.ts";
import { type Config, certificate, settingsWith } from "../support/config.ts";
import { external, migrationResult, programs } from "../support/platform.ts";

const names = roleNames("taskflow", "taskflow_user");
const roles = rolesOf(names);
const settingsOf = (changes: Config = {}) => settingsWith(changes, { preview: true });
const withCa = { ...external, port: 6432, ca: certificate };

describe("a rotation", () => {
  const logins = roles.filter(({ login }) => login).map(({ name }) => name);
  const changed = (rotation: number) =>
    logins.filter((login) => passwordKeeper(rotation, login, names) !== passwordKeeper(rotation + 1, login, names));

  it("moves the application to its other login", () => {
    expect([0, 1, 2, 3].map(activeLogin)).toEqual(["a", "b", "a", "b"]);
  });

  it("changes every password but that of the login that is in use, from the first rotation on", () => {
    fc.assert(
      fc.property(fc.nat(1000), (rotation) => {
        const inUse = names.applicationLogins[activeLogin(rotation)];
        expect(changed(rotation)).toEqual(logins.filter((login) => login !== inUse));
      }),
    );
  });

  it("never brings back a password", () => {
    const keepers = logins.map((login) => [0, 1, 2, 3, 4, 5].map((rotation) => passwordKeeper(rotation, login, names)));
    expect(keepers).toEqual(
      logins.map((login) => {
        if (login === "taskflow_app_a") return ["0", "0", "2", "2", "4", "4"];
        return login === "taskflow_app_b" ? ["0", "1", "1", "3", "3", "5"] : ["0", "1", "2", "3", "4", "5"];
      }),
    );
  });
});

describe("the rights in a database", () => {
  it("are taken from everybody and given to groups, by name", () => {
    const rows = grantsOf(roles).map(({ name, on, role, privileges }) => [name, on, role, privileges.join(" ")]);
    expect(rows).toEqual([
      ["public-database", "database", "public", ""],
      ["public-schema", "schema", "public", ""],
      ["taskflow_app-database", "database", "taskflow_app", "CONNECT"],
      ["taskflow_app-schema", "schema", "taskflow_app", "USAGE"],
      ["taskflow_app-tables", "table", "taskflow_app", "SELECT INSERT UPDATE DELETE"],
      ["taskflow_app-sequences", "sequence", "taskflow_app", "SELECT USAGE"],
      ["taskflow_read-database", "database", "taskflow_read", "CONNECT"],
      ["taskflow_read-schema", "schema", "taskflow_read", "USAGE"],
      ["taskflow_read-tables", "table", "taskflow_read", "SELECT"],
      ["taskflow_read-sequences", "sequence", "taskflow_read", "SELECT"],
      ["taskflow_exporter-database", "database", "taskflow_exporter", "CONNECT"],
      ["taskflow_exporter-schema", "schema", "taskflow_exporter", "USAGE"],
    ]);
  });

  it("are never all, and never TRUNCATE, which row level security does not see", () => {
    const given = grantsOf(roles).flatMap(({ privileges }) => privileges);
    expect(given).not.toContain("ALL");
    expect(given).not.toContain("TRUNCATE");
  });
});

describe("where a server is", () => {
  it.each<readonly [string, Config, object, object, object | undefined]>([
    [
      "a pod of the namespace",
      { database: { kind: "statefulset" } },
      { host: "postgres.local.svc.cluster.local", port: 5432, tls: { mode: "off" } },
      { host: "127.0.0.1", port: 15432, sslmode: "disable", sslrootcert: undefined },
      { namespace: "local", pod: "postgres-0", port: 5432, localPort: 15432 },
    ],
    [
      "an operator's primary",
      { database: { kind: "cloudnative-pg", forwardPort: 20000 } },
      {
        host: "postgres-rw.local.svc.cluster.local",
        port: 5432,
        tls: { mode: "verify-full", ca: "/etc/golive/ca/ca.crt" },
      },
      { host: "127.0.0.1", port: 20000, sslmode: "disable", sslrootcert: undefined },
      {
        namespace: "local",
        pod: { labels: "cnpg.io/cluster=postgres,cnpg.io/instanceRole=primary" },
        port: 5432,
        localPort: 20000,
      },
    ],
    [
      "somebody else's",
      { database: external },
      { host: external.host, port: 5432, tls: { mode: "verify-full", ca: undefined } },
      { host: external.host, port: 5432, sslmode: "verify-full", sslrootcert: undefined },
      undefined,
    ],
    [
      "somebody else's, with authorities of its own",
      { database: withCa },
      { host: external.host, port: 6432, tls: { mode: "verify-full", ca: "/etc/golive/ca/ca.crt" } },
      {
        host: external.host,
        port: 6432,
        sslmode: "verify-full",
        sslrootcert: expect.stringMatching(/\/golive-authorities\/[0-9a-f]{16}\.crt$/),
      },
      undefined,
    ],
  ])("is known to pods and to this program: %s", (_, changes, address, reach, forward) => {
    const settings = settingsOf(changes);
    expect(serverAddress(settings)).toEqual(address);
    expect(reachOf(settings)).toEqual(reach);
    expect(forwardOf(settings)).toEqual(forward);
  });

  it("stands in the application's URL, and how it proves its name", () => {
    const url = (changes: Config) =>
      connectionUrl(serverAddress(settingsOf(changes)), { login: "u", password: "p@ss/word", database: "d" });
    expect(url({})).toBe("postgresql://u:p%40ss%2Fword@postgres.local.svc.cluster.local:5432/d");
    expect(url({ database: external })).toBe(
      "postgresql://u:p%40ss%2Fword@postgres.taskflow.example.com:5432/d?sslmode=verify-full",
    );
    expect(url({ database: withCa })).toBe(
      "postgresql://u:p%40ss%2Fword@postgres.taskflow.example.com:6432/d?sslmode=verify-full&sslrootcert=/etc/golive/ca/ca.crt",
    );
  });

  it("brings no private key of an authority into a pod", () => {
    const { volumes } = authorityVolume(settingsOf({ database: { kind: "cloudnative-pg" } }));
    expect(volumes).toEqual([
      { name: "database-ca", secret: { secretName: "postgres-ca", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    ]);
  });
});

describe("reaching the server from here", () => {
  const config = new KubeConfig();
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  /** A loopback port on which something else listens. */
  async function takenPort() {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    return { port: address.port, end: () => server.close() };
  }

  it("is refused in an up while something else listens on the port, and says which key to change", async () => {
    const { port, end } = await takenPort();
    const settings = settingsOf({ database: { kind: "statefulset", forwardPort: port } });
    try {
      await expect(reachDatabase(settings, config, 0)).rejects.toThrow(
        new pulumi.RunError(
          `golive:database.forwardPort  got ${port}, but something else listens on 127.0.0.1:${port}; this run needs it to reach the database\n` +
            "Nothing was touched. Next: end what listens there (another `pulumi up`?), or set golive:database.forwardPort to a port that is free",
        ),
      );
    } finally {
      end();
    }
  });

  it("waits in an up for a run that is just ending", async () => {
    const { port, end } = await takenPort();
    const reached = reachDatabase(settingsOf({ database: { kind: "statefulset", forwardPort: port } }), config);
    end();
    await expect(reached).resolves.toBe(undefined);
  });

  it("goes on in a preview, which seldom needs the server", async () => {
    const { port, end } = await takenPort();
    vi.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(true);
    const warned = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    try {
      await reachDatabase(settingsOf({ database: { kind: "statefulset", forwardPort: port } }), config);
    } finally {
      end();
    }
    expect(warned.mock.calls).toEqual([
      [
        `something else listens on 127.0.0.1:${port} (golive:database.forwardPort): this preview does not ask the database, ` +
          "and must not be run with --refresh",
      ],
    ]);
  });

  it("says once which pod could not be reached, and why: the provider only sees that its connection ended", async () => {
    const { port, end } = await takenPort();
    end();
    const closed = await takenPort();
    closed.end();
    const unreachable = new KubeConfig();
    unreachable.loadFromClusterAndUser(
      { name: "gone", server: `http://127.0.0.1:${closed.port}`, skipTLSVerify: true },
      { name: "nobody" },
    );
    const warned = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    await reachDatabase(settingsOf({ database: { kind: "statefulset", forwardPort: port } }), unreachable);
    for (const _ of ["first", "second"]) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "close");
    }
    expect(warned).toHaveBeenCalledTimes(1);
    expect(warned.mock.calls[0]?.[0]).toMatch(
      /^cannot reach the database at postgres-0 in namespace local: .*ECONNREFUSED/,
    );
  });

  it("writes the authorities of an external server where the provider reads them, the same place each time", async () => {
    const directory = await mkdtemp(join(tmpdir(), "golive-checks-"));
    vi.stubEnv("TMPDIR", directory);
    const settings = settingsOf({ database: withCa });
    const { sslrootcert = "" } = reachOf(settings);
    expect(sslrootcert.startsWith(directory)).toBe(true);
    for (const _ of ["first", "second"]) await reachDatabase(settings, config);
    expect(await readFile(sslrootcert, "utf8")).toBe(certificate);
    expect((await stat(join(directory, "golive-authorities"))).mode & 0o022).toBe(0);
    await rm(directory, { recursive: true });
  });

  it("trusts no directory that somebody else prepared", async () => {
    const directory = await mkdtemp(join(tmpdir(), "golive-checks-"));
    vi.stubEnv("TMPDIR", directory);
    await symlink("/", join(directory, "golive-authorities"));
    await expect(reachDatabase(settingsOf({ database: withCa }), config)).rejects.toThrow(
      /golive-authorities is not a directory that only \S+ may write: it is to hold the authorities of golive:database.ca\nNext: remove it, or set TMPDIR/,
    );
    await rm(directory, { recursive: true });
  });
});

describe("what the database programs are told", () => {
  it("is what they read, and no secret", () => {
    const told = programSettings({ settings: settingsOf({ contract: "202_less.sql" }), names, roles, database: "d" });
    expect(told).toEqual({
      application: "taskflow",
      environment: "local",
      server: { host: "postgres.local.svc.cluster.local", port: 5432, tls: { mode: "off" } },
      database: "d",
      logins: { migrator: "taskflow_user", backup: "taskflow_backup", exporter: "taskflow_exporter" },
      passwords: "/etc/golive/passwords",
      roles: [
        { name: "taskflow_user", login: true, bypassRowSecurity: true, memberOf: [], connect: false },
        { name: "taskflow_app", login: false, bypassRowSecurity: false, memberOf: [], connect: true },
        { name: "taskflow_read", login: false, bypassRowSecurity: false, memberOf: [], connect: true },
        { name: "taskflow_app_a", login: true, bypassRowSecurity: false, memberOf: ["taskflow_app"], connect: false },
        { name: "taskflow_app_b", login: true, bypassRowSecurity: false, memberOf: ["taskflow_app"], connect: false },
        {
          name: "taskflow_readonly",
          login: true,
          bypassRowSecurity: false,
          memberOf: ["taskflow_read"],
          connect: false,
        },
        { name: "taskflow_backup", login: true, bypassRowSecurity: true, memberOf: ["taskflow_read"], connect: false },
        { name: "taskflow_exporter", login: true, bypassRowSecurity: false, memberOf: ["pg_monitor"], connect: true },
      ],
      migrations: "/migrations",
      contract: "202_less.sql",
      backup: { directory: "/backups", key: "/etc/golive/backup-key/key", keep: 5, leastPercentOfPrevious: 50 },
      binaries: undefined,
      work: "/work",
      report: "/dev/termination-log",
    });
  });

  it.each<Config>([{}, { database: external }, { database: withCa }, { database: { kind: "cloudnative-pg" } }])(
    "is understood by them: %j",
    (changes) => {
      const told = programSettings({ settings: settingsOf(changes), names, roles, database: "d" });
      expect(parseProgramSettings(JSON.parse(JSON.stringify(told)), "settings.json")).toEqual(told);
    },
  );
});

describe("the record of the schema", () => {
  const args = {
    ...{ ...programs, names, restored: undefined, outdated: [] },
    settings: settingsOf(),
    database: "taskflow",
    mounted: { programs: "p", migrations: "m" },
  };
  const [base, more, less] = programs.files;
  const run = { pending: more ? [more] : [], held: less ? [less] : [], record: undefined };
  const job = migrationJobName(args);
  const lines = {
    "000_base.sql": `expand ${base?.checksum}`,
    "101_more.sql": `expand ${more?.checksum}`,
  };

  it("has every file that the plan does not hold back, before the runner has spoken", () => {
    expect(recordAfter({ ...args, schema: run }, undefined)).toEqual({ ...lines, job });
  });

  it("takes no contract file for applied when neither the runner nor a record says so: it would pass its gate unseen", () => {
    const lost = { ...run, held: [] };
    expect(recordAfter({ ...args, schema: lost }, undefined)).toEqual({ ...lines, job });
    expect(recordAfter({ ...args, schema: lost }, "to come")).toHaveProperty(["202_less.sql"]);
  });

  it("has what the runner says after it: on an empty database it holds nothing back", () => {
    expect(recordAfter({ ...args, schema: run }, migrationResult)).toEqual({
      ...lines,
      "202_less.sql": `contract ${less?.checksum}`,
      job,
      result: JSON.stringify(migrationResult),
    });
  });

  it("keeps which restore came last, and which releases can never serve again", () => {
    const restored = "taskflow-1.backup 2026-11-21";
    const after = recordAfter(
      { ...args, restored, schema: { ...run, restored }, outdated: ["1.0.0-a", "1.0.1-b"] },
      undefined,
    );
    expect(after).toEqual({
      ...lines,
      job: migrationJobName({ ...args, restored }),
      restored,
      outdated: "1.0.0-a 1.0.1-b",
    });
  });
});
