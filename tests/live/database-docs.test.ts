import { afterAll, beforeAll, describe, it } from "vitest";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { schemaDiagram } from "../support/database-docs.ts";
import { expectBlock } from "../support/generated-block.ts";
import { names, startServer, type TestServer } from "../support/postgres.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server?.stop();
});

describe("docs/operations/database.md", () => {
  it("shows the schema that the migrations make (S2-31; GOLIVE_ACCEPT=1 draws it)", async () => {
    const database = await server.database();
    try {
      await migrate(database.settings, () => {});
      const owner = await database.connect(names.owner);
      await expectBlock("docs/operations/database.md", "schema", await schemaDiagram(owner));
    } finally {
      await database.drop();
    }
  });
});
