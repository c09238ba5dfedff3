import type pg from "pg";
import { parseEmail } from "./accounts.ts";
import type { Cache } from "./cache.ts";
import { type Database, notAllowed, sqlState } from "./database.ts";
import { json, Refusal, type Route, readJson } from "./http.ts";
import { Fields, pathId, requireClaims } from "./requests.ts";

/** Open ids of a team's members: whoever sees its tasks, but for admins. */
export async function membersOf(client: pg.ClientBase, team: number): Promise<readonly string[]> {
  const { rows } = await client.query<{ sub: string }>(
    "select u.open_id as sub from team_members m join users u on u.id = m.user_id where m.team_id = $1",
    [team],
  );
  return rows.map(({ sub }) => sub);
}

/** Teams, their members and their projects: as much as tasks need. */
export function teamRoutes(database: Database, cache: Cache, secret: string): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/teams",
      async handle(request) {
        const { sub, role } = requireClaims(request, secret);
        const teams = await database.transaction("list teams", { sub, role }, async (client) => {
          const { rows } = await client.query<{ id: number; name: string }>("select id, name from teams order by id");
          return rows;
        });
        return json(200, { teams });
      },
    },
    {
      method: "POST",
      path: "/api/teams/:id/members",
      async handle(request, { named }) {
        const { sub, role } = requireClaims(request, secret);
        const team = pathId(named.id, "team");
        const fields = new Fields(await readJson(request), ["email"]);
        const email = parseEmail(fields);
        fields.done();
        const members = await database
          .transaction("add member", { sub, role }, async (client) => {
            const { rows } = await client.query<{ added: boolean }>("select add_member($1, $2) as added", [
              team,
              email,
            ]);
            return rows[0]?.added ? await membersOf(client, team) : undefined;
          })
          .catch((error: unknown) => {
            if (sqlState(error) === notAllowed) throw new Refusal(404, "no such team among those you manage");
            throw error;
          });
        if (!members) throw new Refusal(404, "email: no such account");
        // The new one sees the team's tasks now; which of the members it is, is not told.
        await cache.outdate(members);
        return json(201, { members: members.length });
      },
    },
    {
      method: "GET",
      path: "/api/projects",
      async handle(request) {
        const { sub, role } = requireClaims(request, secret);
        const projects = await database.transaction("list projects", { sub, role }, async (client) => {
          const { rows } = await client.query<{ id: number; name: string; teamId: number }>(
            `select id, name, team_id as "teamId" from projects order by id`,
          );
          return rows;
        });
        return json(200, { projects });
      },
    },
  ];
}
