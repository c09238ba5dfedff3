import { z } from "zod";
import { object, text } from "./forms.ts";

/** `golive:override` as a person writes it. */
export const overrideForm = object({
  percent: z
    .int("allowed: an integer percent, 1 to 100")
    .min(1, "allowed: an integer percent, 1 to 100")
    .max(100, "allowed: an integer percent, 1 to 100"),
  release: text("the version of the candidate's release that it is for"),
  reason: text("why this step cannot wait for soak and gate").regex(
    /^\S(.*\S)?$/,
    "allowed: one line that says why this step cannot wait for soak and gate",
  ),
});

/** One that is for one release: left behind, it lets no other one through. */
export type ReleaseOverride = Readonly<z.infer<typeof overrideForm>>;

export const overrideKeys: Readonly<Record<string, readonly string[]>> = { override: Object.keys(overrideForm.shape) };
