/** How a preview is written: as GitHub's Markdown, or for a terminal. */
export interface Style {
  heading(text: string): string;
  bold(text: string): string;
  code(text: string): string;
  /** A text that somebody else wrote, so that nothing in it is taken for Markdown. */
  prose(text: string): string;
  /** What only somebody who wants to know all of it reads. */
  folded(lead: string, items: string): string;
}

export const markdown: Style = {
  heading: (text) => `## ${text}`,
  bold: (text) => `**${text}**`,
  // A backtick would end it, and the rest would be read as Markdown.
  code: (text) => (text.trim() === "" ? "(empty)" : `\`${text.replaceAll("`", "'").replace(/[\r\n]+/g, " ")}\``),
  prose: (text) =>
    text
      .replace(/[\\`*<]|\[(?=[^\]]*\]\()/g, "\\$&")
      // A person or a team that is named somewhere is not called to this pull request by it.
      .replace(/[\r\n]+/g, " ")
      .replace(/(^|[^\w])@(?=\w)/g, "$1@\u200b"),
  folded: (lead, items) => `<details><summary>${lead}</summary>\n\n${items}\n\n</details>`,
};

export const terminal: Style = {
  heading: (text) => text,
  bold: (text) => text,
  code: (text) => text,
  prose: (text) => text.replace(/[\r\n]+/g, " "),
  folded: (lead, items) => `${lead}\n${items}`,
};
