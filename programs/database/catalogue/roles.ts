import { type Check, queried } from "./check.ts";

/** Who owns what, and who is not bound (checks 15 and 20; V01). */
export const roleChecks: readonly Check[] = [
  queried(
    "login-not-bound",
    "logins that row level security binds, but for the allowed",
    `select format('role %s', login.rolname) as object,
       case when other.oid = login.oid then 'has BYPASSRLS: it sees every row'
         else format('may become %s, which row level security does not bind', other.rolname) end as found,
       case when other.oid = login.oid then format('ALTER ROLE %I NOBYPASSRLS', login.rolname)
         else format('REVOKE %I FROM whoever gives it to %I', other.rolname, login.rolname) end as remedy
     from bound
     join pg_roles login on login.oid = bound.oid
     cross join settings
     join pg_roles other on pg_has_role(login.oid, other.oid, 'member')
       and (other.rolbypassrls or other.rolsuper or other.rolname = owner)
     where login.rolcanlogin and has_database_privilege(login.oid, current_database(), 'connect')`,
  ),
  queried(
    "owned-by-another",
    "everything owned by the owner, so that default privileges and forced row level security hold for all",
    `select * from (
       select c.oid::regclass::text as object, pg_get_userbyid(relowner) as current,
         format('ALTER %s %s OWNER TO %I',
           case relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'S' then 'SEQUENCE' when 'f' then 'FOREIGN TABLE'
             else 'TABLE' end, c.oid::regclass, owner) as remedy
       from pg_class c join ours on ours.oid = relnamespace cross join settings
       where relkind in ('r', 'p', 'v', 'm', 'S', 'f')
         and not exists (select from of_extensions e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
       union all
       select format('function %s', f.oid::regprocedure), pg_get_userbyid(proowner),
         format('ALTER ROUTINE %s OWNER TO %I', f.oid::regprocedure, owner)
       from pg_proc f join ours on ours.oid = pronamespace cross join settings
       where not exists (select from of_extensions e where e.classid = 'pg_proc'::regclass and e.objid = f.oid)
       union all
       select format('schema %I', nspname), case
           when pg_get_userbyid(nspowner) = 'pg_database_owner' then (select pg_get_userbyid(datdba) from pg_database where datname = current_database())
           else pg_get_userbyid(nspowner) end,
         format('ALTER SCHEMA %I OWNER TO %I', nspname, owner)
       from ours cross join settings
     ) things (object, current, remedy)
     cross join lateral (select format('owned by %s', current) as found) as said
     cross join settings
     where current <> owner`,
  ),
  queried(
    "owned-by-the-application",
    "nothing owned by a role that row level security binds: an owner may switch it off",
    `select format('role %s', rolname) as object,
       format('owns %s', pg_describe_object(classid, objid, objsubid)) as found,
       format('REASSIGN OWNED BY %I TO %I', rolname, owner) as remedy
     from pg_shdepend join bound on bound.oid = refobjid cross join settings
     where refclassid = 'pg_authid'::regclass and deptype = 'o'
       and dbid = (select oid from pg_database where datname = current_database())`,
  ),
];
