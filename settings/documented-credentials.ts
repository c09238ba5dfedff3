/** The literals that the source documents hand out as examples (C39). */
const documented: readonly (readonly [words: string, pattern: RegExp])[] = [
  ["the documents' signing key", /staging-secret-key/],
  ["the documents' demo password", /\bdemo123\b/],
  ["the documents' database login", /\buser:pass@/],
];

/** A credential that a document of the project made public, in words; undefined when there is none. */
export const documentedCredential = (text: string): string | undefined =>
  documented.find(([, pattern]) => pattern.test(text))?.[0];
