import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface KeeperSettings {
  /** Address of Elasticsearch, without a slash at the end. */
  readonly url: string;
  /** The authority that signed its certificate, as PEM. */
  readonly authority: string;
  readonly user: string;
  readonly password: string;
  /** Path and body of each PUT, in order. */
  readonly requests: Readonly<Record<string, object>>;
}

/**
 * Reads the environment of the keeper's container, and the files that it names.
 * @throws Error that names what is missing.
 */
export async function keeperSettings(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<KeeperSettings> {
  const names = ["ELASTICSEARCH_URL", "ELASTICSEARCH_CA", "ELASTICSEARCH_USER", "REQUESTS"] as const;
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) throw new Error(`not in the environment: ${missing.join(", ")}`);
  const of = (name: (typeof names)[number]) => environment[name] ?? "";
  const text = (...path: readonly string[]) => readFile(join(...path), "utf8");
  return {
    url: of("ELASTICSEARCH_URL"),
    authority: await text(of("ELASTICSEARCH_CA")),
    user: await text(of("ELASTICSEARCH_USER"), "username"),
    password: await text(of("ELASTICSEARCH_USER"), "password"),
    requests: JSON.parse(await text(of("REQUESTS"))) as KeeperSettings["requests"],
  };
}
