import { parseJson } from "../../rollout/parse-json.ts";
import { leavesOf, type Tree, textOf } from "../manifest.ts";
import { inTurn } from "../unknown.ts";
import { credentialForm, credentialIn } from "./credential.ts";

/** A credential in clear: where, and which, in words. */
export interface Sighting {
  readonly path: string;
  readonly found: string;
}

/** The credentials that a text sets: a value alone, or a file of JSON or of settings. `name`: what the text is called. */
export function credentialsInText(path: string, name: string, text: string): readonly Sighting[] {
  const json = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined)
    return leavesOf(json).flatMap((leaf) => credentialsInValue(`${path}.${leaf.path}`, leaf.key, leaf.text));
  if (!text.includes("\n")) return credentialsInValue(path, name, text);
  const form = credentialForm(text);
  // A program names passwords that it is given: only lines of settings (`password: x`, `PASSWORD=x`) are read by name.
  const lines = /\.(mjs|js|ts|sql)$/.test(name) ? [] : text.split("\n");
  const named = lines.flatMap((line, index) => {
    const [, key = "", value = ""] = setting.exec(line) ?? pair.exec(line) ?? [];
    return credentialsInValue(`${path} line ${index + 1}`, key, value, line);
  });
  return form === undefined ? named : [{ path, found: form }, ...named];
}

/** Whoever may look at an object reads its annotations. */
export const credentialsInAnnotations = (path: string, annotations: Tree): Iterable<Sighting> =>
  inTurn(Object.keys(annotations), (name) =>
    credentialsInText(`${path}.annotations[${name}]`, name, textOf(annotations[name]) ?? ""),
  );

/** `password: x`, `- password: x`, `export PASSWORD=x`, `password => x`. */
const setting = /^\s*(?:-\s+)?(?:export\s+)?["']?([\w.-]+)["']?\s*(?::|=>?)\s*["']?([^"'\s]*)/;
/** `requirepass x`: a line of two words, as Redis and others have them. */
const pair = /^\s*([\w.-]+)\s+["']?([^"'\s]+)["']?\s*$/;

function credentialsInValue(path: string, key: string, value: string, among?: string): readonly Sighting[] {
  const found = credentialIn(key, value, among);
  return found === undefined ? [] : [{ path, found }];
}
