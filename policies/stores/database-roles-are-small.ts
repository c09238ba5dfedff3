import { everywhere } from "../levels.ts";
import { at, textOf, textsOf, treesOf } from "../manifest.ts";
import type { Finding, ResourceRule, Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** Nobody of the stack is the database's superuser, and who serves users is held by row level security. */
export const databaseRolesAreSmall: ResourceRule = {
  id: "database-roles-are-small",
  summary:
    "No login is superuser, may create roles, is in a role of the server but pg_monitor, or has no password; only the owner and the backup pass row level security; grants name what they grant.",
  why: "One injected query as such a role reads and deletes what belongs to all users.",
  severity: "critical",
  sources: ["S0-42", "S4-19", "V08"],
  levels: everywhere,
  example: {
    bad: "managed:\n  roles:\n    - {name: taskflow_app_a, login: true, bypassrls: true}",
    good: "managed:\n  roles:\n    - {name: taskflow_app_a, login: true, inRoles: [taskflow_app], passwordSecret: {name: postgres-login-taskflow-app-a}}",
  },
  judge(subject) {
    if (kindOf(subject) === "Cluster") return clusterProblems(subject);
    if (subject.type === "postgresql:index/role:Role") return roleProblems("", subject.object.name, subject.object);
    if (subject.type === "postgresql:index/grant:Grant") return grantProblems(subject);
    if (subject.type === "postgresql:index/grantRole:GrantRole")
      return isGreat(textOf(subject.object.grantRole) ?? "")
        ? [
            no(
              "grantRole",
              `${textOf(subject.object.role)} in ${textOf(subject.object.grantRole)}`,
              "grant a group of the application",
            ),
          ]
        : [];
    return [];
  },
};

function clusterProblems(subject: Subject): readonly Finding[] {
  const superuser = at(subject.object, "spec", "enableSuperuserAccess") === true;
  return [
    ...(superuser ? [no("spec.enableSuperuserAccess", "a login for postgres", "leave it out")] : []),
    ...treesOf(at(subject.object, "spec", "managed", "roles")).flatMap((role) => [
      ...roleProblems(`spec.managed.roles[${role.name}].`, role.name, role),
      ...(role.login === true && role.ensure !== "absent" && at(role, "passwordSecret", "name") === undefined
        ? [no(`spec.managed.roles[${role.name}].passwordSecret`, "a login without a password", "name its Secret")]
        : []),
    ]),
  ];
}

function roleProblems(path: string, name: unknown, role: Readonly<Record<string, unknown>>): readonly Finding[] {
  const mayPass = /_(user|backup)$/.test(textOf(name) ?? "");
  const flags = {
    superuser: false,
    createrole: false,
    createRole: false,
    bypassrls: mayPass,
    bypassRowLevelSecurity: mayPass,
  };
  const lists = ["inRoles", "roles"].flatMap((list) => textsOf(role[list]).map((member) => [list, member] as const));
  return [
    ...Object.entries({ ...flags, replication: false }).flatMap(([flag, allowed]) =>
      role[flag] === true && !allowed
        ? [no(`${path}${flag}`, `${textOf(name)} with ${flag}`, `set ${flag} to false`)]
        : [],
    ),
    ...lists.flatMap(([list, member]) =>
      isGreat(member) ? [no(`${path}${list}`, `${textOf(name)} in ${member}`, `take it out of ${list}`)] : [],
    ),
  ];
}

/** Roles of the server that read or run anything; who only looks at figures may be in pg_monitor. */
const isGreat = (role: string): boolean => role === "postgres" || (role.startsWith("pg_") && role !== "pg_monitor");

function grantProblems({ object }: Subject): readonly Finding[] {
  const privileges = textsOf(object.privileges);
  return [
    ...(privileges.some((privilege) => privilege.toUpperCase() === "ALL")
      ? [no("privileges", "ALL", "name the privileges")]
      : []),
    ...(textOf(object.role) === "public" && privileges.length > 0
      ? [no("role", "privileges for every login of the server", "grant to a group of the application")]
      : []),
    ...(object.withGrantOption === true ? [no("withGrantOption", "a right to hand on", "leave it out")] : []),
  ];
}

const no = (path: string, found: string, fix: string): Finding => ({ path, found, wanted: "none", fix });
