import { table } from "../table.ts";

type Result = Readonly<Record<string, unknown>>;

/**
 * The result of any of the commands as tables: first what is a single value, then a table for each list and each map. It reads
 * only the form, so that an older program in a cluster is shown as well as a newer one.
 */
export function resultText(result: Result): string {
  const entries = Object.entries(result).filter(([, value]) => value !== undefined);
  const single = entries.filter(([, value]) => !isComposite(value));
  const blocks = [
    ...(single.length > 0 ? [pairs(single)] : []),
    ...entries.flatMap(([name, value]) => (isComposite(value) ? [block(name, value)] : [])),
  ];
  return blocks.join("\n\n");
}

const isObject = (value: unknown): value is Result | readonly unknown[] => typeof value === "object" && value !== null;
/** What has a table of its own; an empty list or map is a word. */
const isComposite = (value: unknown): value is Result | readonly unknown[] =>
  isObject(value) && Object.keys(value).length > 0;

const isList = (value: Result | readonly unknown[]): value is readonly unknown[] => Array.isArray(value);

function block(name: string, value: Result | readonly unknown[]): string {
  const title = titleOf(name);
  if (!isList(value)) {
    return `${title}\n${indented(pairs(Object.entries(value)))}`;
  }
  const rows = value.filter(isObject);
  if (rows.length < value.length) return `${title}\n${indented(value.map((each) => cell(each)).join("\n"))}`;
  return `${title}\n${indented(rowsText(rows as readonly Result[]))}`;
}

function rowsText(rows: readonly Result[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  // Truth values stand first, where the eye finds a NO; numbers last, to the right.
  const is = (type: string) => (column: string) =>
    rows.every((row) => ["undefined", type].includes(typeof row[column]));
  const truths = columns.filter(is("boolean"));
  const numbers = columns.filter((column) => is("number")(column) && !truths.includes(column));
  const texts = columns.filter((column) => ![...truths, ...numbers].includes(column));
  const ordered = [...truths, ...texts, ...numbers];
  const cells = rows.map((row) => ordered.map((column) => cell(row[column], column)));
  return table(ordered.map(titleOf), cells, columns.length - numbers.length);
}

/** Names that are no words of ours, such as those of files and tables, stay as they are. */
const pairs = (entries: readonly (readonly [string, unknown])[]): string => {
  const width = Math.max(...entries.map(([name]) => titleOf(name).length));
  return entries.map(([name, value]) => `${titleOf(name).padEnd(width)}  ${cell(value, name)}`).join("\n");
};

/** `lastBackup` as "last backup", `durationMs` as "duration": the unit stands with the value. */
function titleOf(name: string): string {
  if (!/^[a-z]+([A-Z][a-z]*)*$/.test(name)) return name;
  return name.replace(/(Ms|Seconds)$/, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function cell(value: unknown, name = ""): string {
  if (value === undefined || value === null) return "-";
  if (typeof value === "boolean") return value ? "yes" : "NO";
  if (typeof value === "number") return `${value.toLocaleString("en")}${unitOf(name)}`;
  if (typeof value === "string") return value === "" ? "-" : value.replaceAll("\n", "; ");
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((each) => cell(each)).join(", ");
  if (Object.keys(value).length === 0) return "none";
  return Object.entries(value)
    .map(([key, inner]) => `${titleOf(key)} ${cell(inner, key)}`)
    .join(", ");
}

function unitOf(name: string): string {
  if (/Ms$/.test(name)) return " ms";
  if (/^bytes$|Bytes$/.test(name)) return " bytes";
  return /Seconds$/.test(name) ? " s" : "";
}

const indented = (text: string): string =>
  text
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");
