import { describe, expect, it } from "vitest";
import { median, table } from "../../cli/table.ts";

describe("a table", () => {
  it("has its first column to the left, and the numbers to the right", () => {
    expect(
      table(
        ["what", "seconds"],
        [
          ["step", "1.25"],
          ["empty program", "10.00"],
        ],
      ),
    ).toBe(["what           seconds", "step              1.25", "empty program    10.00"].join("\n"));
  });

  it("has more columns of text where it is told so, and no blanks at the end of a line", () => {
    expect(
      table(
        ["name", "state", "rows"],
        [
          ["tasks", "ok", "3"],
          ["users", "", "12"],
        ],
        2,
      ),
    ).toBe(["name   state  rows", "tasks  ok        3", "users           12"].join("\n"));
    expect(table(["name", "state"], [["tasks", ""]], 2)).toBe(["name   state", "tasks"].join("\n"));
  });
});

describe("the median is the middle", () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1], 2.5],
  ])("of %j: %d", (values, middle) => {
    expect(median(values)).toBe(middle);
  });
});
