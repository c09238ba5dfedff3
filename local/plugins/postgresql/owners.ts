import { name, type Session } from "./server.ts";

/**
 * Work with the rights of these roles. A superuser has them; any other login is made a member of each for as long as the
 * work takes, in the same transaction where there is one.
 */
export async function withRightsOf(
  session: Session,
  roles: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  const lacking = await session.query<{ role: string }>(
    `select r.rolname as role from pg_roles r, pg_roles me
      where me.rolname = current_user and not me.rolsuper and r.rolname = any($1)
        and not r.rolsuper and not pg_has_role(me.oid, r.oid, 'USAGE')`,
    [roles],
  );
  for (const { role } of lacking) await session.query(`grant ${name(role)} to current_user`);
  const giveBack = async () => {
    for (const { role } of lacking) await session.query(`revoke ${name(role)} from current_user`);
  };
  try {
    await work();
  } catch (error) {
    await giveBack().catch(() => {
      // In a transaction that failed nothing can be said any more: its end takes the memberships back.
    });
    throw error;
  }
  await giveBack();
}

/** The owner of the database that a session is in. */
export async function databaseOwner(session: Session): Promise<string> {
  const [row] = await session.query<{ owner: string }>(
    "select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()",
  );
  return row?.owner ?? "";
}

/** Owners of a schema and, where asked for, of what is in it. */
export async function schemaOwners(session: Session, schema: string, contents: boolean): Promise<readonly string[]> {
  const rows = await session.query<{ owner: string }>(
    `select distinct pg_get_userbyid(owner) as owner from (
       select nspowner as owner from pg_namespace where nspname = $1
       union all
       select relowner from pg_class join pg_namespace n on n.oid = relnamespace where nspname = $1 and $2
       union all
       select proowner from pg_proc join pg_namespace n on n.oid = pronamespace where nspname = $1 and $2
     ) as owners`,
    [schema, contents],
  );
  const owners = rows.map(({ owner }) => owner);
  // The schema public belongs to this role at first, whose only member is the database's owner.
  return owners.includes("pg_database_owner")
    ? [...owners.filter((owner) => owner !== "pg_database_owner"), await databaseOwner(session)]
    : owners;
}
