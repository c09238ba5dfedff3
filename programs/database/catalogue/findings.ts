import type { ClientBase } from "pg";
import type { ProgramSettings } from "../settings.ts";
import type { CatalogueOptions, Check, Finding } from "./check.ts";
import { codeChecks } from "./code.ts";
import { indexChecks } from "./indexes.ts";
import { policyChecks } from "./policies.ts";
import { roleChecks } from "./roles.ts";
import { tableChecks } from "./tables.ts";

export type { CatalogueOptions, Finding } from "./check.ts";

/** Every rule of the catalogue, in the order of the report (research/database.md 2.3 and checks 14, 17 to 20). */
export const checks: readonly Check[] = [...tableChecks, ...policyChecks, ...codeChecks, ...indexChecks, ...roleChecks];

/**
 * What breaks a rule in the database of this connection; nothing when all is as it should be. Reads catalogues only, so any
 * login will do; it looks at all schemas but PostgreSQL's own (S0-42, S0-54).
 */
export async function findings(client: ClientBase, options: CatalogueOptions): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  // One after the other: a connection answers one question at a time.
  for (const { name, wanted, find } of checks) {
    for (const place of await find(client, options)) {
      found.push({
        check: name,
        object: place.object,
        text: `${place.found}; wanted: ${wanted}; to put it right: ${place.remedy}`,
      });
    }
  }
  return found;
}

/** Who may do more than others, as the stack declares it. */
export function catalogueOptions({ logins, roles }: ProgramSettings): CatalogueOptions {
  return {
    owner: logins.migrator,
    allowedBypass: roles.filter(({ bypassRowSecurity }) => bypassRowSecurity).map(({ name }) => name),
  };
}
