import { z } from "zod";
import { colours, environments } from "../applications/application.ts";
import { applications } from "../applications/catalogue.ts";
import { backupForm, databaseForm, databaseKeys, programsForm } from "./database.ts";
import { exemptionKeys, exemptionsForm } from "./exemptions.ts";
import { host, name, object, quantity, text } from "./forms.ts";
import { gateForm, gateKeys } from "./gate.ts";
import { loggingForm, loggingKeys } from "./logging.ts";
import { monitoringForm, monitoringKeys } from "./monitoring.ts";
import { networkForm, networkKeys } from "./network.ts";
import { overrideForm, overrideKeys } from "./override.ts";
import { type Problem, suggestion } from "./problems.ts";

const colour = z.enum(colours, "allowed: blue, green");
const release = object({
  version: z
    .string("allowed: a version such as 1.2.3")
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, "allowed: a version such as 1.2.3 (a label value)"),
  images: z.record(
    z.string(),
    z.string("allowed: name:tag or name@sha256:…"),
    "allowed: an object with an image for each service",
  ),
  config: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "allowed: names of environment variables"),
      z.string("allowed: text (put numbers in quotes)"),
      "allowed: an object {NAME: value}",
    )
    .default({}),
  retired: z.boolean("allowed: true or false").default(false),
});
const rung = object({
  percent: z.number("allowed: an integer from 1 to 100"),
  soakMinutes: z.number("allowed: minutes, 0 or more"),
});

const shape = {
  application: z.enum(Object.keys(applications), `allowed: ${Object.keys(applications).join(", ")}`),
  environment: z.enum(environments, `allowed: ${environments.join(", ")}`),
  cluster: object({ context: text("the name of a kubeconfig context"), kubeconfig: text("a path").optional() }),
  hostname: host,
  gateway: object({ name, namespace: name, section: name, internalSection: name }),
  blue: release.optional(),
  green: release.optional(),
  candidate: colour,
  candidateTraffic: z.int("allowed: an integer percent, 0 or a rung of the ladder"),
  ladder: z
    .union([z.string(), z.array(rung)], "allowed: a ladder's name, or a list of {percent, soakMinutes}")
    .optional(),
  inPlace: object({ colour, reason: text("why this cannot wait for weight 0") }).optional(),
  override: overrideForm.optional(),
  gate: gateForm.optional(),
  retireAfterHours: z.number("allowed: hours, 0 or more").min(0, "allowed: hours, 0 or more").optional(),
  database: databaseForm.optional(),
  cache: object({
    image: text("an image reference").optional(),
    storage: quantity.optional(),
    storageClass: name.optional(),
    memoryMiB: z.int("allowed: MiB").min(64, "allowed: 64 MiB or more").optional(),
  }).optional(),
  backup: backupForm.optional(),
  rotation: z.int("allowed: an integer, 0 or more").min(0, "allowed: an integer, 0 or more").default(0),
  contract: z
    .string("allowed: the file name of a migration, such as 012_drop_old_name.sql")
    .regex(/^[0-9]{3}_[a-z0-9_]+\.sql$/, "allowed: the file name of a migration, such as 012_drop_old_name.sql")
    .optional(),
  programs: programsForm.optional(),
  monitoring: monitoringForm.optional(),
  logging: loggingForm.optional(),
  exemptions: exemptionsForm.optional(),
  network: networkForm.optional(),
  imageMirrors: z
    .record(z.string(), text("an image reference"), "allowed: an object {reference: replacement}")
    .default({}),
  sentryDsn: text("a secret").optional(),
  databaseAdminPassword: text("a secret").optional(),
  smtpPassword: text("a secret").optional(),
  onCallUrl: text("a secret").optional(),
};
export const schema = z.strictObject(shape);
const partial = schema.partial();
export const secretKeys = ["sentryDsn", "databaseAdminPassword", "smtpPassword", "onCallUrl"] as const;
const textKeys = new Set(["application", "environment", "hostname", "candidate", "contract", ...secretKeys]);

/** A stack's configuration as written, of the right form; what is not of the right form is left out. */
export type Given = z.infer<typeof partial>;
export type Complete = z.infer<typeof schema>;

/** Keys of the right form, and a problem for each that is not. */
export function parseForm(values: Readonly<Record<string, string>>): { given: Given; problems: readonly Problem[] } {
  const input = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, decode(key, value)]));
  const parsed = schema.safeParse(input);
  if (parsed.success) return { given: parsed.data, problems: [] };
  const bad = new Set(
    parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [String(issue.path[0])],
    ),
  );
  const good = Object.fromEntries(Object.entries(input).filter(([key]) => !bad.has(key)));
  return {
    given: partial.parse(good),
    problems: parsed.error.issues.flatMap((issue) => explain(issue, input)),
  };
}

/** Objects, numbers and booleans arrive as JSON text; what is meant as text stays text, whatever it looks like. */
function decode(key: string, value: string): unknown {
  if (textKeys.has(key)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function explain(issue: z.core.$ZodIssue, input: Readonly<Record<string, unknown>>): readonly Problem[] {
  const key = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = issue.path.length === 0 ? Object.keys(shape) : (knownKeys[objectAt(key, input)] ?? []);
    return issue.keys.map((unknown) => ({
      key: key === "" ? unknown : `${key}.${unknown}`,
      text: `unknown key${suggestion(unknown, known)}`,
    }));
  }
  const got = issue.path.reduce<unknown>(
    (value, part) => (typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined),
    input,
  );
  const shown = secretKeys.some((secret) => secret === issue.path[0]) ? "a value" : brief(JSON.stringify(got));
  const inner = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return [{ key, text: `got ${got === undefined ? "nothing" : shown}; ${inner ?? issue.message}` }];
}

const brief = (text: string | undefined) => (text !== undefined && text.length > 120 ? `${text.slice(0, 60)}…` : text);

/** The entry of `knownKeys` for an object: a database has other keys for each kind, and each rung of a ladder the same. */
function objectAt(key: string, { database }: Readonly<Record<string, unknown>>): string {
  const kind = typeof database === "object" && database !== null && "kind" in database ? String(database.kind) : "";
  return key === "database" ? `database ${kind}` : key.replace(/\.\d+$/, "");
}

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  blue: Object.keys(release.shape),
  green: Object.keys(release.shape),
  cluster: ["context", "kubeconfig"],
  gateway: ["name", "namespace", "section", "internalSection"],
  cache: ["image", "storage", "storageClass", "memoryMiB"],
  ...databaseKeys,
  ...monitoringKeys,
  ...loggingKeys,
  ...networkKeys,
  ...gateKeys,
  ...overrideKeys,
  ...exemptionKeys,
  inPlace: ["colour", "reason"],
  ladder: Object.keys(rung.shape),
};
