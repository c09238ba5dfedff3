import { z } from "zod";
import type { EnvironmentDefaults } from "./environments.ts";
import { certificates, host, identifier, name, object, port, quantity, schedule, text } from "./forms.ts";

/** One server in a pod of ours: staging and local. */
export interface StatefulSetDatabase {
  readonly kind: "statefulset";
  readonly image: string;
  readonly storage: string;
  readonly storageClass: string | undefined;
  /** Loopback port of the machine that runs the program: it leads to the server. */
  readonly forwardPort: number;
}

/** A server that somebody else runs. It must prove its name (S4-22). */
export interface ExternalDatabase {
  readonly kind: "external";
  readonly host: string;
  readonly port: number;
  /** PEM text of the authorities that may vouch for it; undefined: the system's. */
  readonly ca: string | undefined;
  /** A login that may make roles and databases, and the database that it connects to. */
  readonly adminUser: string;
  readonly adminDatabase: string;
}

/** Several servers that the operator CloudNativePG runs: production. */
export interface CloudNativePgDatabase {
  readonly kind: "cloudnative-pg";
  readonly instances: number;
  readonly image: string;
  /** User and group that the image has for PostgreSQL; undefined: 26, as in the images of the operator. */
  readonly uid: number | undefined;
  readonly storage: string;
  /** Size of the volume of the write-ahead log, apart from the data's. */
  readonly walStorage: string;
  readonly storageClass: string | undefined;
  readonly forwardPort: number;
  /** Where base backups and the write-ahead log go; undefined: nowhere, and there is no recovery to a point in time. */
  readonly objectStore: ObjectStoreSettings | undefined;
}

export interface ObjectStoreSettings {
  /** `s3://bucket/path`. */
  readonly path: string;
  /** URL of a store that is not Amazon's. */
  readonly endpoint: string | undefined;
  /** Name of a Kubernetes Secret with ACCESS_KEY_ID and ACCESS_SECRET_KEY. */
  readonly secret: string;
}

export type DatabaseSettings = StatefulSetDatabase | ExternalDatabase | CloudNativePgDatabase;

/** Backups that golive takes itself, whatever runs the server: before every migration, and on a schedule. */
export interface BackupPlan {
  /** Size of the backup volume. */
  readonly storage: string;
  readonly storageClass: string | undefined;
  /** Five cron fields, UTC. */
  readonly schedule: string;
  /** When the newest backup is restored to a scratch server, as a drill. */
  readonly drillSchedule: string;
  /** How many backups are kept. */
  readonly keep: number;
  /** A backup smaller than this percentage of the one before fails (S4-46). */
  readonly leastPercentOfPrevious: number;
}

/** The images of the programs that work beside the database. */
export interface ProgramImages {
  /** Brings Node. */
  readonly image: string;
  /** Brings PostgreSQL's own programs, in the server's version or a newer one. */
  readonly postgresImage: string;
}

const statefulSet = {
  kind: z.literal("statefulset"),
  image: text("an image reference").optional(),
  storage: quantity.optional(),
  storageClass: name.optional(),
  forwardPort: port.optional(),
};
const external = {
  kind: z.literal("external"),
  host,
  port: port.default(5432),
  ca: certificates.optional(),
  adminUser: identifier.default("postgres"),
  adminDatabase: identifier.default("postgres"),
};
const objectStore = {
  path: z
    .string("allowed: s3://bucket/path")
    .regex(/^s3:\/\/[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](\/[-_./A-Za-z0-9]*)?$/, "allowed: s3://bucket/path"),
  endpoint: z
    .string("allowed: a URL such as https://s3.example.com")
    .regex(/^https?:\/\/[-.a-z0-9]+(:[0-9]{1,5})?\/?$/, "allowed: a URL such as https://s3.example.com")
    .optional(),
  secret: name,
};
const cloudNativePg = {
  kind: z.literal("cloudnative-pg"),
  instances: z.int("allowed: 1 or more").min(1, "allowed: 1 or more").optional(),
  image: text("an image reference").optional(),
  uid: z.int("allowed: 1 to 65535").min(1, "allowed: 1 to 65535").max(65535, "allowed: 1 to 65535").optional(),
  storage: quantity.optional(),
  walStorage: quantity.optional(),
  storageClass: name.optional(),
  forwardPort: port.optional(),
  objectStore: object(objectStore).optional(),
};

/** `golive:database` as a person writes it. */
export const databaseForm = z.discriminatedUnion(
  "kind",
  [z.strictObject(statefulSet), z.strictObject(external), z.strictObject(cloudNativePg)],
  "allowed: {kind: statefulset, …}, {kind: external, host, …} or {kind: cloudnative-pg, …}",
);

/** `golive:backup` as a person writes it. */
export const backupForm = object({
  storage: quantity.optional(),
  storageClass: name.optional(),
  schedule: schedule.optional(),
  drillSchedule: schedule.optional(),
  keep: z.int("allowed: 1 or more").min(1, "allowed: 1 or more").optional(),
  leastPercentOfPrevious: z
    .int("allowed: 0 to 100")
    .min(0, "allowed: 0 to 100")
    .max(100, "allowed: 0 to 100")
    .optional(),
});

/** `golive:programs` as a person writes it. */
export const programsForm = object({
  image: text("an image reference").optional(),
  postgresImage: text("an image reference").optional(),
});

const kinds: Readonly<Record<string, object>> = { statefulset: statefulSet, external, "cloudnative-pg": cloudNativePg };

/** Keys of the objects above, by their path: what is suggested for an unknown one. */
export const databaseKeys: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(kinds).map(([kind, keys]) => [`database ${kind}`, Object.keys(keys)])),
  "database.objectStore": Object.keys(objectStore),
  backup: Object.keys(backupForm.shape),
  programs: Object.keys(programsForm.shape),
};

type Given<T extends z.ZodType> = z.infer<T> | undefined;

/** What a stack's database is: as given, else by its environment. */
export function databaseOf(
  given: Given<typeof databaseForm>,
  { database: standard }: EnvironmentDefaults,
): DatabaseSettings {
  const form: z.infer<typeof databaseForm> = given ?? { kind: standard.kind };
  switch (form.kind) {
    case "external":
      return { ...form, ca: form.ca };
    case "statefulset":
      return {
        kind: form.kind,
        image: form.image ?? standard.image,
        storage: form.storage ?? standard.storage,
        storageClass: form.storageClass,
        forwardPort: form.forwardPort ?? standard.forwardPort,
      };
    case "cloudnative-pg":
      return {
        kind: form.kind,
        instances: form.instances ?? 3,
        image: form.image ?? standard.operatorImage,
        uid: form.uid,
        storage: form.storage ?? standard.storage,
        walStorage: form.walStorage ?? standard.walStorage,
        storageClass: form.storageClass,
        forwardPort: form.forwardPort ?? standard.forwardPort,
        objectStore: form.objectStore && { ...form.objectStore, endpoint: form.objectStore.endpoint },
      };
  }
}

/** What a stack's backups are: as given, else by its environment. */
export function backupOf(given: Given<typeof backupForm>, { backup: standard }: EnvironmentDefaults): BackupPlan {
  return {
    storage: given?.storage ?? standard.storage,
    storageClass: given?.storageClass,
    schedule: given?.schedule ?? standard.schedule,
    drillSchedule: given?.drillSchedule ?? standard.drillSchedule,
    keep: given?.keep ?? standard.keep,
    leastPercentOfPrevious: given?.leastPercentOfPrevious ?? standard.leastPercentOfPrevious,
  };
}

/** Which images the programs beside the database run in: a server of our own brings its image, too. */
export function programsOf(
  given: Given<typeof programsForm>,
  database: DatabaseSettings,
  standard: EnvironmentDefaults,
): ProgramImages {
  const server = database.kind === "statefulset" ? database.image : standard.database.image;
  return { image: given?.image ?? standard.programs.image, postgresImage: given?.postgresImage ?? server };
}
