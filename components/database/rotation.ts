import type { Alternate, RoleNames } from "./roles.ts";

/**
 * Rotation of passwords without a dropped connection (S4-21). The application has two logins of which it uses one: even
 * rotations use `a`, odd ones `b`. A rotation gives the login that is not in use a new password and moves the application to
 * it; pods of before go on with the other, whose password stays.
 */
export const activeLogin = (rotation: number): Alternate => (rotation % 2 === 0 ? "a" : "b");

/** What a login's password depends on: another text makes another password. Only rotations that change it change the text. */
export function passwordKeeper(rotation: number, login: string, { applicationLogins }: RoleNames): string {
  if (login === applicationLogins.a) return String(rotation - (rotation % 2));
  // Before the first odd rotation nobody uses it.
  if (login === applicationLogins.b) return String(Math.max(0, rotation - ((rotation + 1) % 2)));
  return String(rotation);
}
