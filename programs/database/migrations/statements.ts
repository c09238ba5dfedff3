/** One statement of a file of SQL, read far enough to know what it is: not a parser of its contents. */
export interface Statement {
  /** Line of its first word, from 1. */
  readonly line: number;
  /** Words in lower case, quoted names as written, punctuation; every string is `''`. Comments are left out. */
  readonly tokens: readonly string[];
  /** From its first word to before its semicolon. */
  readonly sql: string;
}

export type Statements =
  | { readonly statements: readonly Statement[] }
  | { readonly unfinished: string; readonly line: number };

const plain: readonly [RegExp, "skip" | "string" | "name" | "word" | "other"][] = [
  [/\s+/y, "skip"],
  [/--[^\n]*/y, "skip"],
  [/[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y, "string"],
  [/'(?:[^']|'')*'/y, "string"],
  [/"(?:[^"]|"")*"/y, "name"],
  [/(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[\s\S]*?\1/y, "string"],
  [/[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y, "word"],
  [/\d[\w.]*|\$\d+/y, "other"],
];

const opens = [
  [/"/y, "a quoted name"],
  [/[eE]?'/y, "a string"],
  [/\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y, "a dollar-quoted string"],
] as const;

/**
 * Splits SQL as psql does: a semicolon ends a statement unless it stands in a string, a comment, parentheses (CREATE RULE)
 * or the `BEGIN ATOMIC … END` of a function. A string or comment without an end is told with the line where it begins.
 */
export function splitStatements(sql: string): Statements {
  const statements: Statement[] = [];
  let tokens: string[] = [];
  let start = 0;
  let last = 0;
  let depth = 0;
  let atomic = 0;
  let at = 0;
  const lineOf = (offset: number) => sql.slice(0, offset).split("\n").length;
  const end = () => {
    if (tokens.length > 0) statements.push({ line: lineOf(start), tokens, sql: sql.slice(start, last) });
    tokens = [];
    depth = 0;
    atomic = 0;
  };
  while (at < sql.length) {
    if (sql.startsWith("/*", at)) {
      const after = afterComment(sql, at);
      if (after === undefined) return { unfinished: "a comment", line: lineOf(at) };
      at = after;
      continue;
    }
    const [text, kind] = tokenAt(sql, at);
    const open =
      kind === "string" || kind === "name" ? undefined : opens.find(([pattern]) => matchAt(pattern, sql, at));
    if (open) return { unfinished: open[1], line: lineOf(at) };
    const from = at;
    at += text.length;
    if (kind === "skip") continue;
    if (text === ";" && depth === 0 && atomic === 0) {
      end();
      continue;
    }
    if (tokens.length === 0) start = from;
    const token = kind === "string" ? "''" : kind === "name" ? text : text.toLowerCase();
    if (token === "(") depth += 1;
    if (token === ")") depth = Math.max(0, depth - 1);
    if (token === "atomic" && tokens.at(-1) === "begin" && tokens[0] === "create") atomic = 1;
    else if (atomic > 0 && token === "case") atomic += 1;
    else if (atomic > 0 && token === "end") atomic -= 1;
    tokens.push(token);
    last = at;
  }
  end();
  return { statements };
}

function tokenAt(sql: string, at: number): readonly [string, "skip" | "string" | "name" | "word" | "other"] {
  for (const [pattern, kind] of plain) {
    const text = matchAt(pattern, sql, at);
    if (text !== undefined) return [text, kind];
  }
  return [sql.charAt(at), "other"];
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

/** Comments of this kind nest in PostgreSQL. */
function afterComment(sql: string, from: number): number | undefined {
  let depth = 0;
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return undefined;
}
