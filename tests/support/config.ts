import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { SettingsError } from "../../settings/problems.ts";
import { parseSettings, type RawSettings, type Settings } from "../../settings.ts";

/** Config as a person writes it: what is not text becomes JSON text, as the engine hands it over. Undefined removes a key. */
export type Config = Readonly<Record<string, unknown>>;

/** 64 hex digits for an image digest. */
export const sha256 = (digit: string) => `@sha256:${digit.repeat(64)}`;

/** A certificate that vouches for nothing. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUOv7jPXvEEh9w8gPvO/b3P7A8g94wCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGY2hlY2tzMCAXDTI2MTEyMTEzMzEzMVoYDzIxMjYxMDI4MTMz
MTMxWjARMQ8wDQYDVQQDDAZjaGVja3MwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARUVABGCa5KCTquHP/XW/D5cUvgVzPOEinjKmPeeqN8ckNKfrXkhw1zsrxFCnJb
8XeLQj2Lgwdr1e0J5M8Y5tX9o1MwUTAdBgNVHQ4EFgQUkiVgKErUm65xUnBwXa5p
YoI5CwEwHwYDVR0jBBgwFoAUkiVgKErUm65xUnBwXa5pYoI5CwEwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiB81yheIbtt9RwQWmcCHnovLL5dPZWn
7YuA6Ku94/FrJQIhAOcorlSjbDzjBbayeTnA9otPXFv8/tCzC8/2YyQ23uPS
-----END CERTIFICATE-----
`;
const images = (version: string) => ({
  backend: `golive.local/taskflow-backend:${version}`,
  frontend: `golive.local/taskflow-frontend:${version}`,
});

/** The smallest complete configuration of a `local` stack: blue runs 1.0.0, green is the candidate with 2.0.0 at 0. */
export const complete: Config = {
  application: "taskflow",
  environment: "local",
  cluster: { context: "golive-local" },
  hostname: "taskflow.localhost",
  gateway: { name: "golive", namespace: "gateway", section: "public", internalSection: "internal" },
  blue: { version: "1.0.0", images: images("1.0.0") },
  green: { version: "2.0.0", images: images("2.0.0") },
  candidate: "green",
  candidateTraffic: 0,
};

/** The same for `production`, where images need digests and alerts somebody who hears them. */
export const completeProduction: Config = {
  ...complete,
  environment: "production",
  blue: { version: "1.0.0", images: { backend: `backend:1${sha256("1")}`, frontend: `frontend:1${sha256("2")}` } },
  green: { version: "2.0.0", images: { backend: `backend:2${sha256("3")}`, frontend: `frontend:2${sha256("4")}` } },
  monitoring: { notify: { email: { smarthost: "smtp.example.com:587", from: "alerts@example.com" } } },
};

export function rawSettings(config: Config, rest: Partial<Omit<RawSettings, "values">> = {}): RawSettings {
  const values = Object.entries(config).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === "string" ? value : JSON.stringify(value)]],
  );
  return { stack: "test", secretKeys: new Set(), preview: false, ...rest, values: Object.fromEntries(values) };
}

/** Parsed settings of `complete` with some keys changed. */
export const settingsWith = (changes: Config = {}, rest: Partial<Omit<RawSettings, "values">> = {}): Settings =>
  parseSettings(rawSettings({ ...complete, ...changes }, rest));

/** The lines of the refusal below its heading, without their indent. */
export function problemsOf(config: Config, rest: Partial<Omit<RawSettings, "values">> = {}): readonly string[] {
  try {
    parseSettings(rawSettings(config, rest));
  } catch (error) {
    if (error instanceof SettingsError)
      return error.message
        .split("\n")
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  return [];
}

/** The configuration of a stack file of the repository, as a run of that stack would get it. */
export function stackConfig(stack: "local" | "staging" | "production"): Config {
  const file = join(import.meta.dirname, "..", "..", `Pulumi.${stack}.yaml`);
  const { config }: { config: Record<string, unknown> } = parse(readFileSync(file, "utf8"));
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) =>
      key.startsWith("golive:") ? [[key.slice("golive:".length), value]] : [],
    ),
  );
}
