import { z } from "zod";
import { object, text } from "./forms.ts";

const day = `allowed: a day in quotes, such as "2027-03-31"`;
const line = (allowed: string) => text(allowed).regex(/^\S(.*\S)?$/, `allowed: one line that says ${allowed}`);

const exemption = object({
  rule: text("the id of a policy rule").regex(/^[A-Za-z][A-Za-z0-9_-]*$/, "allowed: the id of a policy rule"),
  resource: text("<Kind>/<namespace>/<name>, or Pulumi's name of the resource"),
  path: text("where in the resource, as the finding says it").optional(),
  reason: line("why this must be so"),
  owner: line("who answers for it"),
  expires: z
    .string(day)
    .regex(/^\d{4}-\d{2}-\d{2}$/, day)
    .refine(isDay, day),
});

/** `golive:exemptions` as a person writes it: what the policy pack lets pass, until when (docs/policies.md). */
export const exemptionsForm = z.array(exemption, "allowed: a list of {rule, resource, path, reason, owner, expires}");

export const exemptionKeys: Readonly<Record<string, readonly string[]>> = { exemptions: Object.keys(exemption.shape) };

/** The calendar has no 31st of February. */
function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
