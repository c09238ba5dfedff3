/** A resource's own type, from its urn: `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`. */
export function typeOf(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.slice(qualified.lastIndexOf("$") + 1);
}

/** A resource's logical name: what follows the type, colons included. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
