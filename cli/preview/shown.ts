import { credentialSetIn } from "../../policies/secrets/credential.ts";

/** Pulumi's mark of a value that it keeps secret, and what it writes where a value is not known before the update. */
const secretMark = "4dabf18193072939515e22adb298388d";
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const hidden = "(secret)";
const longest = 100;

/** Names whose values are nobody's business, whoever forgot to mark them. A name that only refers to a Secret is none of them. */
const secretName =
  /passw|pass(?![a-z])|pwd|passphrase|secret|token|credential|private.?key|api.?key|kubeconfig|authorization|dsn/i;
const reference = /^(secret(Name|Ref|KeyRef)|automountServiceAccountToken)$/;
/** `scheme://user:password@host`. */
const withPassword = /\w+:\/\/[^/\s:@]*:[^/\s@]+@[^\s"']*/;
/** A long word of letters and digits in both cases, as generators make them; digests and names are not of that form. */
const generated = /(?<![\w/+=-])(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])(?=[\w+/=-]*\d)[\w+/=-]{20,}(?![\w/+=-])/;

export const isSecret = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, secretMark);

export const isUnknown = (value: unknown): boolean => value === unknownString;

/**
 * Where a value may not be shown, whatever it is: a Secret's data, and what stands under a name of that sort. `steps` are the keys
 * from the object down to the value.
 */
export function isPrivate(kind: string, steps: readonly string[]): boolean {
  const [first = ""] = steps;
  if (kind === "Secret" && (first === "data" || first === "stringData")) return true;
  return steps.some((step) => secretName.test(step)) && !steps.some((step) => reference.test(step));
}

/** A leaf as it is shown in a preview: in one line, not too long, and never one that may be a secret. */
export function shownValue(value: unknown): string {
  if (isSecret(value)) return hidden;
  if (isUnknown(value)) return "(known after the update)";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (withPassword.test(text) || generated.test(text)) return hidden;
  // A list of words may have a secret among them, or a password after its flag.
  if (text.includes(secretMark) || credentialSetIn(text.replaceAll('"', " ")) !== undefined) return hidden;
  const lines = text.trimEnd().split("\n").length;
  if (lines > 1) return `(${lines} lines)`;
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** A text of the program, of a rule or of the engine, without what looks like a secret in it. */
export const masked = (text: string): string =>
  [withPassword, generated].reduce((left, secret) => left.replace(new RegExp(secret, "g"), hidden), text);
