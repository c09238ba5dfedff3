import type { Break } from "./break.ts";

const server = "local/plugins/postgresql/server.ts";
const unit = "tests/unit/plugins-postgresql-server.test.ts";
const live = "tests/live/plugins-postgresql-server.test.ts";

export const breaks: readonly Break[] = [
  {
    promise: "a password is in no statement, and so in no log of the server",
    file: "local/plugins/postgresql/role.ts",
    find: 'literal(verifierOf(text(of, "password")))',
    replace: 'literal(text(of, "password"))',
    test: live,
    name: "never puts a password into a statement",
  },
  {
    promise: "a right that somebody else touches at the same moment is granted a moment later",
    file: server,
    find: "if (attempt === attempts || !isPassing(error)) throw",
    replace: "if (attempt > 0) throw",
    test: live,
    name: "waits for somebody who changes the same object",
  },
  {
    promise: "rights on a database that the server did not grant are not taken for granted",
    file: "local/plugins/postgresql/grant.ts",
    find: "    await requireEffect(server, session, wanted);",
    replace: "",
    test: live,
    name: "does not take rights on a database for granted",
  },
  {
    promise: "Ctrl-C ends a run that waits for a server that does not answer",
    file: server,
    find: "return Promise.race([done, this.#cancelled.promise]);",
    replace: "return done;",
    test: unit,
    name: "that is still being made ends when the run is cancelled",
  },
  {
    promise: "the admin's password goes to no server whose certificate nobody vouches for",
    file: server,
    find: "rejectUnauthorized: true,",
    replace: "rejectUnauthorized: false,",
    test: unit,
    name: "is not made to a server whose certificate nobody vouches for",
  },
  {
    promise: "the admin's password goes to no server with another server's certificate",
    file: server,
    find: "checkServerIdentity(host, certificate),",
    replace: "undefined,",
    test: unit,
    name: "is not made to a server with somebody else's certificate",
  },
  {
    promise: "a right that is replaced is not revoked after it was granted anew",
    file: "local/plugins/postgresql/grant.ts",
    find: 'removesFirst: "always",',
    replace: 'removesFirst: "never",',
    test: "tests/unit/plugins-postgresql.test.ts",
    name: "replaces a grant for every property but its rights",
  },
];
