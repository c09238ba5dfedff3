interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Words that stand for its numbers, from the first on. */
  readonly words: readonly string[];
}

/** The fields of a cron line, in their order, as Kubernetes reads them (a week begins with Sunday, 0, and ends with 6). */
const fields: readonly Field[] = [
  { name: "minute", from: 0, to: 59, words: [] },
  { name: "hour", from: 0, to: 23, words: [] },
  { name: "day of the month", from: 1, to: 31, words: [] },
  {
    name: "month",
    from: 1,
    to: 12,
    words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "day of the week", from: 0, to: 6, words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const example = "five cron fields (minute hour day month weekday), such as 30 2 * * *";

/** What is wrong with a cron line, as a text that begins with `allowed:`, or undefined. Short forms such as @daily are none. */
export function cronProblem(line: string): string | undefined {
  const parts = line.trim().split(/\s+/);
  if (parts.length !== fields.length) return `allowed: ${example}`;
  const bad = fields.find((field, index) => !(parts[index] ?? "").split(",").every((part) => fits(part, field)));
  if (bad === undefined) return undefined;
  return `allowed: ${example}; the ${bad.name} is *, ${bad.from} to ${bad.to}, a range, a list, or one of these with a step /n`;
}

/** One item of a list: `*`, `5`, `1-5`, `mon-fri`, each maybe with a step `/2`. */
function fits(part: string, field: Field): boolean {
  const [range = "", step, ...more] = part.split("/");
  if (more.length > 0 || (step !== undefined && !isStep(step))) return false;
  if (range === "*") return true;
  const ends = range.split("-").map((end) => numberOf(end, field));
  const [first = Number.NaN, last = first] = ends;
  return ends.length <= 2 && field.from <= first && first <= last && last <= field.to;
}

const isStep = (text: string) => /^[1-9][0-9]?$/.test(text);

function numberOf(text: string, { from, words }: Field): number {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return word + from;
  return /^[0-9]{1,2}$/.test(text) ? Number(text) : Number.NaN;
}
