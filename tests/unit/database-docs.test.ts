import { describe, it } from "vitest";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { rolesTable } from "../support/database-docs.ts";
import { expectBlock } from "../support/generated-block.ts";

describe("docs/operations/database.md", () => {
  it("lists the roles and rights that the program declares (GOLIVE_ACCEPT=1 writes them)", async () => {
    const roles = rolesOf(roleNames("taskflow", "taskflow_user"));
    await expectBlock("docs/operations/database.md", "roles", rolesTable(roles));
  });
});
