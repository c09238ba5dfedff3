/** What betrays a credential: its form, its name, or its randomness. No answer quotes it. */

const forms: readonly (readonly [words: string, pattern: RegExp])[] = [
  ["a private key", /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/],
  // A variable in its place ($(PASSWORD), ${password}) is a reference.
  ["a URL with a password", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:$]*:[^\s/@$]+@/],
  ["a token of Amazon", /\bA(KIA|SIA)[0-9A-Z]{16}\b/],
  ["a token of GitHub", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})/],
  ["a token of Slack", /\bxox[abprs]-[A-Za-z0-9-]{10,}/],
  ["a signed token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
  ["a password in SQL", /\bpassword\s+'[^']+'/i],
];

/** A setting among others in one text: `host=db password=x`, `export PGPASSWORD=x`, `--token x`, `{ password => "x" }`. */
const settings =
  /(?:^|[\s;&'"(])(?:(-{0,2}[A-Za-z][\w.-]*)(?:=|["']?\s*=>\s*(?=["']))|--?([A-Za-z][\w.-]+)\s+)(?:"([^"]*)"|'([^']*)'|([^\s;&|"')]+))/g;

/** The name of the first credential that a text sets in clear among other words; undefined when it sets none. */
export function credentialSetIn(text: string): string | undefined {
  for (const [, assigned, flag, ...values] of text.matchAll(settings)) {
    const name = (assigned ?? flag ?? "").replace(/^-+/, "");
    const value = values.find((each) => each !== undefined) ?? "";
    if (namesCredential(name) && couldBeCredential(value)) return name;
  }
  return undefined;
}

/**
 * The credential that a value in clear is, in words; undefined when it seems to be none. `among`: the text around the value, in which
 * others may be set, too; default: the value itself.
 */
export function credentialIn(name: string, value: string, among = value): string | undefined {
  const named = namesCredential(name) && couldBeCredential(value) ? name : credentialSetIn(among);
  return (
    credentialForm(value) ??
    (named === undefined ? undefined : `a value in clear for ${named}`) ??
    (looksGenerated(value) ? "a word as random as a key" : undefined)
  );
}

/** A text that has the form of a credential somewhere, in words. */
export const credentialForm = (text: string): string | undefined =>
  forms.find(([, pattern]) => pattern.test(text))?.[0];

const secretName =
  /(password|passwd|passphrase|(?<!by|com)pass|pwd|secret|token|(api|private|access|signing|secret|encryption|master|jwt|hmac)_?key|credential|authorization|(?<=[_.])auth)s?$/i;

/** Whether a name says that what it stands for is a credential: `DB_PASSWORD`, `apiKey`; not `PASSWORD_FILE`, not `secretName`. */
export const namesCredential = (name: string): boolean => secretName.test(name.replaceAll("-", "_"));

/** Whether a text could be the value of a credential: no path, no reference to a variable, no switch, nothing empty. */
export const couldBeCredential = (text: string): boolean =>
  text !== "" &&
  !text.startsWith("/") &&
  !/^(\$\([\w.-]+\)|\$\{[^}]+\}|\$\w+)$/.test(text) &&
  !/^(true|false|yes|no|on|off|none|null|\d{1,3})$/i.test(text);

/**
 * Whether a part of a text, without its separators, is 20 characters or more with the randomness of a generated key. Digests are
 * hexadecimal: they are public, and never meant.
 */
export const looksGenerated = (text: string): boolean =>
  /^[A-Za-z0-9+/_=.-]+$/.test(text) && text.split(/[-_=/+.]/).some(isRandomWord);

function isRandomWord(word: string): boolean {
  if (word.length < 20 || /^[0-9a-f]+$/i.test(word) || !/[0-9]/.test(word)) return false;
  const mixed = /[a-z]/.test(word) && /[A-Z]/.test(word);
  return bitsPerCharacter(word) > (mixed ? 3.7 : 4);
}

function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => bits - (count / text.length) * Math.log2(count / text.length), 0);
}
