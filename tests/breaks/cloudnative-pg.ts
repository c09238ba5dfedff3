import type { Break } from "./break.ts";

const backups = "components/database/cloudnative-pg-backups.ts";
const cluster = "components/database/cloudnative-pg.ts";
const unit = "tests/unit/database-cloudnative-pg.test.ts";
const live = "tests/live/database-cloudnative-pg.test.ts";

/** What a server that CloudNativePG runs promises. */
export const breaks: readonly Break[] = [
  {
    promise: "a field that the operators do not know is found before production is",
    file: backups,
    find: "retentionPolicy: retention,",
    replace: "retention,",
    test: live,
    name: "is what the API server and the operator take",
  },
  {
    promise: "base backups are taken once a night, not every hour",
    file: backups,
    find: "schedule: `0 $",
    replace: "schedule: `$",
    test: unit,
    name: "are taken at once and then with golive's own",
  },
  {
    promise: "two stacks on one bucket do not archive into each other's folder",
    file: backups,
    find: "barmanObjectName: serverName, serverName: `",
    replace: "barmanObjectName: serverName, folder: `",
    test: unit,
    name: "with an object store archives its log into a folder that no other stack has",
  },
  {
    promise: "no right is given before its role is there",
    file: cluster,
    find: ", ...roles.map(reconciled)]",
    replace: "]",
    test: unit,
    name: "is awaited until every one of its roles is made",
  },
  {
    promise: "readers cannot take every connection of a server, whoever makes their roles",
    file: cluster,
    find: "connectionLimit: connectionLimit ?? -1,",
    replace: "connectionLimit: -1,",
    test: live,
    name: "has roles with exactly the powers of their declaration",
  },
];
