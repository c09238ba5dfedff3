import { describe, it } from "vitest";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { checks } from "../../programs/database/catalogue/findings.ts";
import { checksTable, rolesTable } from "../support/database-docs.ts";
import { expectBlock } from "../support/generated-block.ts";

describe("docs/operations/database.md", () => {
  it("lists the roles and rights that the program declares (GOLIVE_ACCEPT=1 writes them)", async () => {
    const roles = rolesOf(roleNames("taskflow", "taskflow_user"));
    await expectBlock("docs/operations/database.md", "roles", rolesTable(roles));
  });

  it("lists every check of the catalogue and what it wants (GOLIVE_ACCEPT=1 writes them)", async () => {
    await expectBlock("docs/operations/database.md", "checks", checksTable(checks));
  });
});
