import type { Break } from "./break.ts";

const rows = "tests/live/database-seed.test.ts";
const dump = "tests/live/database-seed-from-dump.test.ts";

/** Sample rows, and the masked rows of another environment. */
export const breaks: readonly Break[] = [
  {
    promise: "A production database is never seeded.",
    file: "programs/database/seed/seed.ts",
    find: 'if (environment === "production") {',
    replace: 'if (database === "production") {',
    test: rows,
    name: "is refused for production",
  },
  {
    promise: "A second seeding changes nothing.",
    file: "programs/database/seed/generated-rows.ts",
    find: "where not exists (select from tasks x where x.team_id = t.id and x.title = 'Seeded task ' || n)",
    replace: "where true",
    test: rows,
    name: "a second time changes nothing",
  },
  {
    promise: "A seeding that fails on the way adds nothing.",
    file: "programs/database/seed/rows.ts",
    find: 'await client.query("begin");',
    replace: "",
    test: rows,
    name: "adds nothing when it fails on the way",
  },
  {
    promise: "The seeded rows answer the isolation checks of the plan.",
    file: "programs/database/seed/generated-rows.ts",
    find: "(3, 10, 'user-b')",
    replace: "(1, 11, 'user-b')",
    test: rows,
    name: "answers the plan's own checks",
  },
  {
    promise: "After a large seeding changes are audited again.",
    file: "programs/database/seed/rows.ts",
    find: 'if (bulk) await setTriggers(client, "enable");',
    replace: "",
    test: rows,
    name: "makes as many tasks as a measurement needs",
  },
  {
    promise: "Nothing of a person leaves a dump: no address.",
    file: "programs/database/seed/rules.ts",
    find: 'email: "email",',
    replace: 'email: "keep",',
    test: dump,
    name: "puts its rows in place of what is there",
  },
  {
    promise: "Nothing of a person leaves a dump: no text that somebody wrote.",
    file: "programs/database/seed/rules.ts",
    find: 'body: { text: "(removed)" },',
    replace: 'body: "keep",',
    test: dump,
    name: "keeps no text but words of a closed list",
  },
  {
    promise: "A column that nobody has decided about stops the load of a dump.",
    file: "programs/database/seed/mask.ts",
    find: "if (unknown.length === 0) return;",
    replace: "if (unknown.length >= 0) return;",
    test: dump,
    name: "is refused with a column that nobody has decided about",
  },
  {
    promise: "A table that nobody has decided about stops the load of a dump.",
    file: "programs/database/seed/from-dump.ts",
    find: "if (undecided.length > 0) {",
    replace: "if (undecided.length < 0) {",
    test: dump,
    name: "is refused with a table that nobody has decided about",
  },
  {
    promise: "What hides a name in one stack does not tell it in another.",
    file: "programs/database/seed/mask.ts",
    find: 'hkdfSync("sha256", key.text, "", "golive masking 1", 32)',
    replace: 'hkdfSync("sha256", "a key", "", "golive masking 1", 32)',
    test: dump,
    name: "masks the same person in the same way each time",
  },
  {
    promise: "A dump of an older schema loses no value on its way.",
    file: "programs/database/seed/from-dump.ts",
    find: "await bringUpToDate(from, server, await lastContract(target), log);",
    replace: "",
    test: dump,
    name: "brings a dump of an older schema to the target's",
  },
];
