import { applications } from "../../applications/catalogue.ts";
import { recordName } from "../../rollout/schema/schema-record.ts";
import { at, nameOf } from "../manifest.ts";
import type { Subject } from "../rule.ts";
import { isUnknown } from "../unknown.ts";

/**
 * Whether this is what golive's own migration runner will say at the end of its run, and has not said yet: no preview can know it, and
 * nobody wrote it down. In the `up` the rules are asked again, with the text, before it is written.
 */
export const isReportToCome = (subject: Subject, key: string): boolean =>
  key === "result" &&
  Object.keys(applications).some((name) => recordName(name) === nameOf(subject)) &&
  isUnknown(at(subject.object, "data"), key);
