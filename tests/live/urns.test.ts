import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenPath, goldenUrns, LiveStack, previewedUrns } from "../support/stack.ts";

describe.each(["local", "staging", "production"])("the preview of stack %s", (name) => {
  let stack: LiveStack;
  beforeAll(async () => {
    stack = await LiveStack.open(name);
  });
  afterAll(() => stack.close());

  // URNs are a contract: a changed one deletes and creates what it names. A rename carries its alias.
  it("declares exactly the URNs of its golden list (GOLIVE_ACCEPT=1 writes it)", async () => {
    const urns = await previewedUrns(stack);
    if (process.env.GOLIVE_ACCEPT === "1") await writeFile(goldenPath(name), `${urns.join("\n")}\n`);
    expect(urns).toEqual(await goldenUrns(name));
  });
});
