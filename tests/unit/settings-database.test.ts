import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronProblem } from "../../settings/cron.ts";
import { type Config, certificate, complete, completeProduction, problemsOf, settingsWith } from "../support/config.ts";

const host = "db.example.com";
const digests = { secretKeys: new Set(["databaseAdminPassword"]) };

describe("a database", () => {
  it.each([
    ["staging", "statefulset", 15433],
    ["production", "cloudnative-pg", 15434],
  ] as const)(
    "of %s is a %s unless config says otherwise, behind a loopback port of its own",
    (environment, kind, forwardPort) => {
      const base = environment === "production" ? completeProduction : complete;
      expect(settingsWith({ ...base, environment }).database).toMatchObject({ kind, forwardPort });
    },
  );

  it("of one server keeps what config says over the defaults", () => {
    const database = {
      kind: "statefulset",
      image: "postgres:16",
      storage: "5Gi",
      storageClass: "fast",
      forwardPort: 20000,
    };
    expect(settingsWith({ database }).database).toEqual(database);
  });

  it("run by CloudNativePG has three instances, an image of its operator's and two volumes each", () => {
    expect(settingsWith({ database: { kind: "cloudnative-pg" } }).database).toEqual({
      kind: "cloudnative-pg",
      instances: 3,
      image: "ghcr.io/cloudnative-pg/postgresql:15.14",
      uid: undefined,
      storage: "1Gi",
      walStorage: "1Gi",
      storageClass: undefined,
      forwardPort: 15432,
      objectStore: undefined,
    });
  });

  it("run by CloudNativePG keeps what config says over the defaults, and where its backups go", () => {
    const objectStore = { path: "s3://bucket/taskflow", endpoint: "https://s3.example.com", secret: "s3" };
    const database = {
      kind: "cloudnative-pg",
      instances: 1,
      image: "postgresql:16",
      uid: 999,
      storage: "5Gi",
      walStorage: "2Gi",
      storageClass: "fast",
      forwardPort: 20000,
      objectStore,
    };
    expect(settingsWith({ database }).database).toEqual(database);
    const short = { path: "s3://bucket", secret: "s3" };
    expect(settingsWith({ database: { kind: "cloudnative-pg", objectStore: short } }).database).toMatchObject({
      objectStore: { ...short, endpoint: undefined },
    });
  });

  it("of somebody else is reached on the usual port as the usual administrator, and proves its name by the system's authorities", () => {
    expect(settingsWith({ database: { kind: "external", host } }, { preview: true }).database).toEqual({
      kind: "external",
      host,
      port: 5432,
      ca: undefined,
      adminUser: "postgres",
      adminDatabase: "postgres",
    });
  });

  it("of somebody else may have authorities, an administrator and a database of its own", () => {
    const database = {
      kind: "external",
      host,
      port: 6432,
      ca: `${certificate}${certificate}`,
      adminUser: "admin",
      adminDatabase: "defaultdb",
    };
    const settings = settingsWith({ database, databaseAdminPassword: "hunter2" }, digests);
    expect(settings.database).toEqual(database);
    expect(settings.secrets).toEqual({ databaseAdminPassword: "hunter2" });
  });

  it("of somebody else may be previewed without its password, but not changed", () => {
    const database = { kind: "external", host };
    expect(settingsWith({ database }, { preview: true }).secrets).toEqual({});
    expect(problemsOf({ ...complete, database }, { preview: false })).toEqual([
      "golive:databaseAdminPassword  got nothing; an external database needs it: pulumi config set --secret golive:databaseAdminPassword",
    ]);
  });
});

describe("backups", () => {
  it.each([
    ["local", "1Gi", 5],
    ["staging", "20Gi", 7],
    ["production", "100Gi", 30],
  ] as const)(
    "of %s have a volume of %s and are kept %d times, nightly, with a drill every week",
    (environment, storage, keep) => {
      const base = environment === "production" ? completeProduction : complete;
      expect(settingsWith({ ...base, environment }).backup).toEqual({
        storage,
        storageClass: undefined,
        schedule: "30 2 * * *",
        drillSchedule: "0 4 * * 0",
        keep,
        leastPercentOfPrevious: 50,
      });
    },
  );

  it("keep what config says over the defaults", () => {
    const backup = {
      storage: "7Gi",
      storageClass: "slow",
      schedule: "0 */6 * * *",
      drillSchedule: "15 5 1 * *",
      keep: 1,
      leastPercentOfPrevious: 0,
    };
    expect(settingsWith({ backup }).backup).toEqual(backup);
  });
});

describe("the programs beside the database", () => {
  it("run in the image of a server of ours, so that they are as new as it is", () => {
    const database = { kind: "statefulset", image: "postgres:16.2" };
    expect(settingsWith({ database }).programs.postgresImage).toBe("postgres:16.2");
  });

  it("take other images from config", () => {
    const programs = { image: "node:24.1", postgresImage: "postgres:17.1" };
    expect(settingsWith({ programs }).programs).toEqual(programs);
  });
});

describe("rotation and contract", () => {
  it("are what config says", () => {
    const { rotation, contract } = settingsWith({ rotation: 3, contract: "012_drop_old_name.sql" });
    expect({ rotation, contract }).toEqual({ rotation: 3, contract: "012_drop_old_name.sql" });
  });
});

interface Refusal {
  readonly name: string;
  readonly change: Config;
  readonly says: readonly string[];
}

const cron = "allowed: five cron fields (minute hour day month weekday), such as 30 2 * * *";
const pem = "allowed: PEM text of one or more certificates, each between BEGIN and END CERTIFICATE";
const migration = "allowed: the file name of a migration, such as 012_drop_old_name.sql";

describe("a configuration of the database is refused before anything is touched, and says why:", () => {
  it.each<Refusal>([
    {
      name: "a kind that does not exist",
      change: { database: { kind: "sqlite" } },
      says: [
        'golive:database.kind  got "sqlite"; allowed: {kind: statefulset, …}, {kind: external, host, …} or {kind: cloudnative-pg, …}',
      ],
    },
    {
      name: "no object",
      change: { database: "postgres" },
      says: [
        'golive:database  got "postgres"; allowed: {kind: statefulset, …}, {kind: external, host, …} or {kind: cloudnative-pg, …}',
      ],
    },
    {
      name: "a key of another kind",
      change: { database: { kind: "statefulset", host } },
      says: ["golive:database.host  unknown key; allowed: kind, image, storage, storageClass, forwardPort"],
    },
    {
      name: "a misspelt key of each object",
      change: {
        database: {
          kind: "cloudnative-pg",
          instnaces: 3,
          objectStore: { path: "s3://bucket", secret: "s", endpiont: "e" },
        },
        backup: { shedule: "30 2 * * *" },
        programs: { imgae: "node:24" },
      },
      says: [
        "golive:database.objectStore.endpiont  unknown key; did you mean endpoint?",
        "golive:database.instnaces             unknown key; did you mean instances?",
        "golive:backup.shedule                 unknown key; did you mean schedule?",
        "golive:programs.imgae                 unknown key; did you mean image?",
      ],
    },
    {
      name: "ports that do not exist",
      change: { database: { kind: "statefulset", forwardPort: 0 } },
      says: ["golive:database.forwardPort  got 0; allowed: 1 to 65535"],
    },
    {
      name: "an external server without a host, on a port out of range, with authorities that are none and names that need quotes",
      change: { database: { kind: "external", port: 70000, ca: "trust me", adminUser: "Admin", adminDatabase: "a-b" } },
      says: [
        "golive:database.host           got nothing; allowed: a DNS name",
        "golive:database.port           got 70000; allowed: 1 to 65535",
        `golive:database.ca             got "trust me"; ${pem}`,
        'golive:database.adminUser      got "Admin"; allowed: a PostgreSQL name (a-z, 0-9, _)',
        'golive:database.adminDatabase  got "a-b"; allowed: a PostgreSQL name (a-z, 0-9, _)',
      ],
    },
    {
      name: "authorities that were cut short, of which no more than the beginning is shown",
      change: { database: { kind: "external", host, ca: certificate.replace(/23uPS/, "") } },
      says: [`golive:database.ca  got "-----BEGIN CERTIFICATE-----\\nMIIBeTCCAR+gAwIBAgIUOv7jPXvEEh…; ${pem}`],
    },
    {
      name: "a private key among the authorities",
      change: {
        database: { kind: "external", host, ca: "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n" },
      },
      says: [`golive:database.ca  got "-----BEGIN PRIVATE KEY-----\\nx\\n-----END PRIVATE KEY-----\\n"; ${pem}`],
    },
    {
      name: "no instance, the superuser's user, and volumes without a unit",
      change: { database: { kind: "cloudnative-pg", instances: 0, uid: 0, storage: "10", walStorage: "1GB" } },
      says: [
        "golive:database.instances   got 0; allowed: 1 or more",
        "golive:database.uid         got 0; allowed: 1 to 65535",
        'golive:database.storage     got "10"; allowed: a size such as 10Gi',
        'golive:database.walStorage  got "1GB"; allowed: a size such as 10Gi',
      ],
    },
    {
      name: "an object store that is none",
      change: {
        database: {
          kind: "cloudnative-pg",
          objectStore: { path: "gs://bucket/x", endpoint: "s3.example.com", secret: "My Secret" },
        },
      },
      says: [
        'golive:database.objectStore.path      got "gs://bucket/x"; allowed: s3://bucket/path',
        'golive:database.objectStore.endpoint  got "s3.example.com"; allowed: a URL such as https://s3.example.com',
        'golive:database.objectStore.secret    got "My Secret"; allowed: a Kubernetes name (a-z, 0-9, -)',
      ],
    },
    {
      name: "an object store without its secret",
      change: { database: { kind: "cloudnative-pg", objectStore: { path: "s3://bucket" } } },
      says: ["golive:database.objectStore.secret  got nothing; allowed: a Kubernetes name"],
    },
    {
      name: "backups that are never kept, a share of more than all, times that are none",
      change: { backup: { keep: 0, leastPercentOfPrevious: 101, schedule: "daily", drillSchedule: "0 24 * * *" } },
      says: [
        `golive:backup.schedule                got "daily"; ${cron}`,
        `golive:backup.drillSchedule           got "0 24 * * *"; ${cron}; the hour is *, 0 to 23, a range, a list, or one of these with a step /n`,
        "golive:backup.keep                    got 0; allowed: 1 or more",
        "golive:backup.leastPercentOfPrevious  got 101; allowed: 0 to 100",
      ],
    },
    {
      name: "a rotation before the first",
      change: { rotation: -1 },
      says: ["golive:rotation  got -1; allowed: an integer, 0 or more"],
    },
    {
      name: "half a rotation",
      change: { rotation: 1.5 },
      says: ["golive:rotation  got 1.5; allowed: an integer, 0 or more"],
    },
    {
      name: "a contract that is no file name",
      change: { contract: "12" },
      says: [`golive:contract  got "12"; ${migration}`],
    },
    {
      name: "a contract with a path",
      change: { contract: "migrations/taskflow/012_x.sql" },
      says: [`golive:contract  got "migrations/taskflow/012_x.sql"; ${migration}`],
    },
    {
      name: "images without a tag",
      change: {
        database: { kind: "cloudnative-pg", image: "postgresql" },
        programs: { image: "node", postgresImage: "postgres:latest" },
      },
      says: [
        'golive:database.image          got "postgresql"; a tag or a digest is required: name:tag or name@sha256:…',
        'golive:programs.image          got "node"; a tag or a digest is required: name:tag or name@sha256:…',
        'golive:programs.postgresImage  got "postgres:latest"; latest may be another image tomorrow: name a version or a digest',
      ],
    },
  ])("$name", ({ change, says }) => {
    expect(problemsOf({ ...complete, ...change }, { preview: true })).toEqual(says);
  });
});

describe("a cron line", () => {
  it.each(["* * * * *", "30 2 * * *", "*/15 0-6 1,15 jan-mar,12 mon-fri/2", "0 0 31 12 6", "5-59/5 23 * DEC SUN"])(
    "%s is one",
    (line) => {
      expect(cronProblem(line)).toBe(undefined);
    },
  );

  it.each([
    ["", undefined],
    ["@daily", undefined],
    ["0 30 2 * * *", undefined],
    ["60 * * * *", "minute"],
    ["5-1 * * * *", "minute"],
    ["1-2-3 * * * *", "minute"],
    ["*/0 * * * *", "minute"],
    ["1/2/3 * * * *", "minute"],
    [", * * * *", "minute"],
    ["- * * * *", "minute"],
    ["* -1 * * *", "hour"],
    ["* * 0 * *", "day of the month"],
    ["* * * 13 *", "month"],
    ["* * * mon *", "month"],
    ["* * * * 7", "day of the week"],
  ])("%j is none, and its bad field is named: %s", (line, field) => {
    expect(cronProblem(line)).toContain(field === undefined ? cron : `; the ${field} is *`);
  });

  it("may have any values within its fields", () => {
    const within = (from: number, to: number) => fc.integer({ min: from, max: to }).map(String);
    const line = fc.tuple(within(0, 59), within(0, 23), within(1, 31), within(1, 12), within(0, 6));
    fc.assert(fc.property(line, (fields) => cronProblem(fields.join(" ")) === undefined));
  });
});
