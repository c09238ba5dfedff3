import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Role, RoleNames } from "./roles.ts";
import { passwordKeeper } from "./rotation.ts";

/** The password of each login, by its name; all secrets. */
export type Passwords = Readonly<Record<string, pulumi.Output<string>>>;

/** Generates a password for each login; a rotation changes it. */
export function loginPasswords(
  parent: pulumi.Resource,
  roles: readonly Role[],
  { names, rotation }: { readonly names: RoleNames; readonly rotation: number },
): Passwords {
  const logins = roles.filter(({ login }) => login);
  return Object.fromEntries(
    logins.map(({ name }) => {
      const keepers = { rotation: passwordKeeper(rotation, name, names) };
      return [name, generatedPassword(`${name.replaceAll("_", "-")}-password`, { parent }, { keepers })];
    }),
  );
}

/** Letters and digits only: it stands in URLs and SQL as it is. */
export function generatedPassword(
  name: string,
  opts: pulumi.CustomResourceOptions,
  { length = 32, ...args }: Partial<random.RandomPasswordArgs> = {},
): pulumi.Output<string> {
  return new random.RandomPassword(name, { length, special: false, ...args }, opts).result;
}
