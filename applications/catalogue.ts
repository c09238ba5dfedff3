import type { Application } from "./application.ts";
import { taskflow } from "./taskflow.ts";

/** The applications that a stack may name in `golive:application`. */
export const applications: Readonly<Record<string, Application>> = { taskflow };
