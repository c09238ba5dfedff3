import { flag, type ResourceType, text } from "./resource.ts";
import { name } from "./server.ts";

/** `postgresql.GrantRole`: a role's membership in another. */
export const grantRole: ResourceType = {
  type: "postgresql:index/grantRole:GrantRole",
  title: (of) => `membership of role ${text(of, "role")} in ${text(of, "grantRole")}`,
  // As with the real plugin: a replacement grants anew, and then revokes the same membership. deleteBeforeReplace helps.
  removesFirst: "never",
  properties: {
    role: { kind: "text", required: true, replaces: true },
    grantRole: { kind: "text", required: true, replaces: true },
    withAdminOption: { kind: "flag", default: false, replaces: true },
  },
  idOf: (state) => `${text(state, "role")}_${text(state, "grantRole")}_${flag(state, "withAdminOption")}`,

  create: (server, wanted) =>
    server.transaction(`grant ${grantRole.title(wanted)}`, async (session) => {
      const [above, member] = [name(text(wanted, "grantRole")), name(text(wanted, "role"))];
      await session.query(`revoke ${above} from ${member}`);
      const option = flag(wanted, "withAdminOption") ? " with admin option" : "";
      await session.query(`grant ${above} to ${member}${option}`);
    }),

  read: (server, known) =>
    server.transaction(`read ${grantRole.title(known)}`, async (session) => {
      const [row] = await session.query<{ admin: boolean }>(
        `select bool_or(admin_option) as admin from pg_auth_members
          where pg_get_userbyid(member) = $1 and pg_get_userbyid(roleid) = $2 having count(*) > 0`,
        [text(known, "role"), text(known, "grantRole")],
      );
      if (row === undefined) return undefined;
      return { role: text(known, "role"), grantRole: text(known, "grantRole"), withAdminOption: row.admin };
    }),

  remove: (server, state) =>
    server.transaction(`revoke ${grantRole.title(state)}`, async (session) => {
      await session.query(`revoke ${name(text(state, "grantRole"))} from ${name(text(state, "role"))}`);
    }),
};
