import { database } from "./database.ts";
import { defaultPrivileges } from "./default-privileges.ts";
import { grant } from "./grant.ts";
import { grantRole } from "./grant-role.ts";
import type { ResourceType } from "./resource.ts";
import { role } from "./role.ts";
import { schema } from "./schema.ts";

const types: ReadonlyMap<string, ResourceType> = new Map(
  [role, database, schema, grant, grantRole, defaultPrivileges].map((each) => [each.type, each]),
);

/** The type of a resource. @throws Error for one that this stand-in does not have. */
export function typeNamed(token: string): ResourceType {
  const found = types.get(token);
  if (found !== undefined) return found;
  throw new Error(
    `the stand-in for the postgresql plugin has no type ${token}; it has ${[...types.keys()].join(", ")}`,
  );
}
