import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { cronProblem } from "./cron.ts";

/** The forms that several keys of a configuration share, each with what is allowed in its place. */

export const object = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, `allowed: an object {${Object.keys(shape).join(", ")}}`);

export const text = (allowed: string) => z.string(`allowed: ${allowed}`).min(1, `allowed: ${allowed}`);

/** A name that Kubernetes takes for objects and for parts of DNS names. */
export const name = z
  .string("allowed: a Kubernetes name")
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "allowed: a Kubernetes name (a-z, 0-9, -)");

export const host = z
  .string("allowed: a DNS name")
  .regex(/^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, "allowed: a DNS name");

export const port = z.int("allowed: a port").min(1, "allowed: 1 to 65535").max(65535, "allowed: 1 to 65535");

/** A size of a volume. */
export const quantity = z
  .string("allowed: a size such as 10Gi")
  .regex(/^[1-9][0-9]*(Mi|Gi|Ti)$/, "allowed: a size such as 10Gi");

/** A name in PostgreSQL that needs no quotes. */
export const identifier = z
  .string("allowed: a PostgreSQL name")
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, "allowed: a PostgreSQL name (a-z, 0-9, _)");

/** A time in cron's five fields, UTC. */
export const schedule = z.string("allowed: five cron fields, such as 30 2 * * *").check((context) => {
  const message = cronProblem(context.value);
  if (message !== undefined) context.issues.push({ code: "custom", input: context.value, message });
});

/** The text of one or more certificates, as a file of authorities holds them. */
export const certificates = z
  .string("allowed: PEM text of certificates")
  .refine(areCertificates, "allowed: PEM text of one or more certificates, each between BEGIN and END CERTIFICATE");

function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const around = blocks.reduce((rest, block) => rest.replace(block, ""), pem);
  if (blocks.length === 0 || around.includes("-----")) return false;
  try {
    for (const block of blocks) new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}
