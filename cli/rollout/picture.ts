/** Of a terminal. 0 or undefined: nobody knows, and nothing is cut. */
export interface Size {
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

const home = "\u001b[H";
const eraseLine = "\u001b[2K";
const eraseBelow = "\u001b[J";

/**
 * What draws a picture in a terminal over the one before, line by line, so that it never flickers. It is never higher than the
 * terminal: what scrolls away cannot be drawn over. Of a text that is too long the end is left out, never of the last words.
 */
export function pictureOf(text: string, last: string, { columns, rows }: Size): string {
  const inWidth = (line: string) => (columns ? broken(line, columns) : [line]);
  const end = ["", ...last.split("\n").flatMap(inWidth)];
  const whole = text.split("\n").flatMap(inWidth);
  // One row for the cursor below, one for what says that lines are missing.
  const room = rows ? Math.max(0, rows - end.length - 1) : whole.length;
  const shown =
    whole.length <= room ? whole : [...whole.slice(0, Math.max(0, room - 1)), ...inWidth(cutText).slice(0, 1)];
  // Erased before it is written: after a line as wide as the terminal its last letter would go.
  const lines = [...shown, ...end].map((line) => `${eraseLine}${line}\n`);
  return `${home}${lines.join("")}${eraseBelow}`;
}

const cutText = "… (golive rollout status shows all of it)";

/** A line in pieces, as a terminal of this width would break it. */
const broken = (line: string, columns: number): readonly string[] =>
  Array.from({ length: Math.max(1, Math.ceil(line.length / columns)) }, (_, index) =>
    line.slice(index * columns, (index + 1) * columns),
  );
