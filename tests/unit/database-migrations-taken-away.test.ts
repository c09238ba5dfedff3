import { describe, expect, it } from "vitest";
import { type Shape, takenAway } from "../../programs/database/migrations/taken-away.ts";

type Columns = Readonly<Record<string, readonly [type: string, notNull: boolean, fills: boolean]>>;

function shape(tables: Readonly<Record<string, Columns>>, functions: readonly string[] = []): Shape {
  const columnsOf = (columns: Columns) =>
    new Map(Object.entries(columns).map(([name, [type, notNull, fills]]) => [name, { type, notNull, fills }]));
  return {
    tables: new Map(Object.entries(tables).map(([name, columns]) => [name, columnsOf(columns)])),
    functions: new Set(functions),
  };
}

const id = ["integer", true, true] as const;
const due = ["date", false, true] as const;
const before = shape({ tasks: { id, due } }, ["login(address text)"]);

describe("what a file takes from the releases that run", () => {
  it.each([
    ["a table", shape({}, ["login(address text)"]), ["tasks is gone"]],
    ["a column", shape({ tasks: { id } }, ["login(address text)"]), ["tasks.due is gone"]],
    ["a function", shape({ tasks: { id, due } }), ["function login(address text) is gone"]],
    [
      "a column's type",
      shape({ tasks: { id, due: ["timestamptz", false, true] } }, ["login(address text)"]),
      ["tasks.due was date and is timestamptz"],
    ],
    [
      "the null of a column",
      shape({ tasks: { id, due: ["date", true, true] } }, ["login(address text)"]),
      ["tasks.due takes no null any more"],
    ],
    [
      "an INSERT that knows nothing of a new column",
      shape({ tasks: { id, due, team_id: ["integer", true, false] } }, ["login(address text)"]),
      ["tasks.team_id is new, and an INSERT without it fails"],
    ],
    [
      "a name, which goes when another comes",
      shape({ tasks: { id, due_at: due } }, ["login(address text)"]),
      ["tasks.due is gone"],
    ],
  ])("is %s", (_, after, expected) => {
    expect(takenAway(before, after)).toEqual(expected);
  });

  it("is nothing when it only adds", () => {
    const more = shape(
      { tasks: { id, due, due_at: due, place: ["integer", true, true] }, notes: { body: ["text", true, false] } },
      ["login(address text)", "logout()"],
    );
    expect(takenAway(before, more)).toEqual([]);
  });
});
