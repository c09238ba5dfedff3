import type { Settings } from "../../settings.ts";

/** Labels of what one part of a stack is made of, and of its pods. */
export const labelsOf = ({ application }: Settings, component: string) => ({ app: application.name, component });
