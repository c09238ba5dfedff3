import { z } from "zod";
import { object, text } from "./forms.ts";

/** `golive:override` as a person writes it. */
export const overrideForm = object({
  percent: z
    .int("allowed: an integer percent, 1 to 100")
    .min(1, "allowed: an integer percent, 1 to 100")
    .max(100, "allowed: an integer percent, 1 to 100"),
  reason: text("why this step cannot wait for soak and gate").regex(
    /^\S(.*\S)?$/,
    "allowed: one line that says why this step cannot wait for soak and gate",
  ),
});

export const overrideKeys: Readonly<Record<string, readonly string[]>> = { override: Object.keys(overrideForm.shape) };
