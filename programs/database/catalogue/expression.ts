/**
 * The calls in a policy's expression that PostgreSQL makes once for each row although they do not depend on it: those of
 * `functions` (as `schema.name`) and of `current_setting`, outside any `( SELECT …)` and without a column in their arguments
 * (research/database.md 2.2, "initplan wrap").
 * @param expression as pg_get_expr writes it
 */
export function callsForEachRow(
  expression: string,
  functions: readonly string[],
  columns: readonly string[],
): readonly string[] {
  const bare = withoutSelects(expression);
  return ["current_setting", ...functions].flatMap((name) =>
    occurrences(bare, `${name}(`)
      .filter((start) => !/[\w.]/.test(bare[start - 1] ?? ""))
      .map((start) => bare.slice(start, closing(bare, start + name.length) + 1))
      .filter((call) => !mentions(call.slice(name.length), columns)),
  );
}

/** The expression without its sub-selects. */
export function withoutSelects(expression: string): string {
  const start = expression.search(/\(\s*SELECT\b/);
  if (start === -1) return expression;
  const rest = expression.slice(closing(expression, start) + 1);
  return `${expression.slice(0, start)}(…)${withoutSelects(rest)}`;
}

/** Place of the parenthesis that closes the one at `open`; the end of the text when none does. */
function closing(text: string, open: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = open; at < text.length; at += 1) {
    const character = text[at];
    // A doubled quote ends a text and begins another: the depth is the same.
    if (character === "'") quoted = !quoted;
    else if (quoted) continue;
    else if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    if (depth === 0 && !quoted && at > open) return at;
  }
  return text.length;
}

function occurrences(text: string, part: string): readonly number[] {
  const found: number[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) found.push(at);
  return found;
}

function mentions(text: string, columns: readonly string[]): boolean {
  const words = text.replaceAll(/'[^']*'(?:::\w+)?/g, "").match(/\w+/g) ?? [];
  return words.some((word) => columns.includes(word));
}
