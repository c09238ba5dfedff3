/** A part of a comment: what is always there, and items of which the last ones may be left out. */
export interface Section {
  readonly lead: readonly string[];
  readonly items: readonly string[];
  /** How lead and items are put together. Default: a line each. */
  readonly wrap?: (lead: string, items: string) => string;
}

/** Puts sections together, with an empty line in between. A section without anything is not there. */
export const joined = (sections: readonly Section[]): string =>
  sections
    .map(textOf)
    .filter((text) => text !== "")
    .join("\n\n")
    .concat("\n");

function textOf({ lead, items, wrap }: Section): string {
  if (wrap === undefined || items.length === 0) return [...lead, ...items].join("\n");
  return wrap(lead.join("\n"), items.join("\n"));
}

/**
 * The same within `limit` characters: whole items are left out, from the end of the section that is longest at the time, and `more`
 * says how many. What leads a section always stays: it says what matters.
 */
export function fitted(sections: readonly Section[], limit: number, more: (count: number) => string): string {
  const left = sections.map(({ items }) => items.length);
  const shown = () =>
    sections.map((section, index): Section => {
      const { items } = section;
      const gone = items.length - (left[index] ?? 0);
      return gone === 0 ? section : { ...section, items: [...items.slice(0, left[index]), more(gone)] };
    });
  let text = joined(shown());
  while (text.length > limit) {
    const sizes = sections.map(({ items }, index) => items.slice(0, left[index]).join("\n").length);
    const longest = sizes.indexOf(Math.max(...sizes));
    const count = left[longest] ?? 0;
    if (count === 0) return text;
    left[longest] = count - 1;
    text = joined(shown());
  }
  return text;
}
