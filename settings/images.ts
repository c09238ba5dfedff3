const digest = /@sha256:[0-9a-f]{64}$/;
const tag = /:([A-Za-z0-9_][-A-Za-z0-9_.]{0,127})(@|$)/;

/**
 * What is wrong with an image reference, or undefined.
 * A tag or a digest is required everywhere, `latest` is allowed nowhere, a digest is required where `byDigest` (decision C21).
 */
export function imageProblem(reference: string, byDigest: boolean): string | undefined {
  const got = `got ${JSON.stringify(reference)}`;
  const pinned = digest.test(reference);
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  const tagged = tag.exec(name);
  if (/\s/.test(reference) || reference === "" || (reference.includes("@") && !pinned))
    return `${got}; allowed: name:tag or name@sha256:<64 hex digits>`;
  if (byDigest && !pinned) return `${got}; a digest is required here: name:tag@sha256:…`;
  if (!pinned && !tagged) return `${got}; a tag or a digest is required: name:tag or name@sha256:…`;
  if (!pinned && tagged?.[1] === "latest")
    return `${got}; latest may be another image tomorrow: name a version or a digest`;
  return undefined;
}

/**
 * The reference to pull instead of `reference`: an exact entry of `mirrors`, else its longest prefix that ends in `/`
 * (`docker.io/` -> `mirror.example.com/docker/`), else itself.
 */
export function mirrored(reference: string, mirrors: Readonly<Record<string, string>>): string {
  const exact = mirrors[reference];
  if (exact !== undefined) return exact;
  const prefix = Object.keys(mirrors)
    .filter((key) => key.endsWith("/") && reference.startsWith(key))
    .sort((a, b) => b.length - a.length)[0];
  return prefix === undefined ? reference : `${mirrors[prefix]}${reference.slice(prefix.length)}`;
}
