import { describe, expect, it } from "vitest";
import { afterwards, cleanUp } from "../../programs/database/afterwards.ts";

const nothing = async () => {};

describe("what must not stay behind", () => {
  it("is put back after a success, and after a failure, once", async () => {
    const done: string[] = [];
    const undo = async () => void done.push("undone");
    expect(await afterwards(undo, async () => "result")).toBe("result");
    await expect(afterwards(undo, () => Promise.reject(new Error("failed")))).rejects.toThrow(/^failed$/);
    expect(done).toEqual(["undone", "undone"]);
    expect(await cleanUp()).toEqual([]);
    expect(done).toHaveLength(2);
  });

  it("is put back in the middle of the work when the program is told to stop, last begun first, and only once", async () => {
    const done: string[] = [];
    let fail: (error: Error) => void = () => {};
    const work = afterwards(
      async () => void done.push("server"),
      () =>
        afterwards(
          async () => {
            done.push("child");
            fail(new Error("the child was ended"));
          },
          () =>
            new Promise((_, reject) => {
              fail = reject;
            }),
        ),
    );
    const outcome = expect(work).rejects.toThrow("the child was ended");
    expect(await cleanUp()).toEqual([]);
    await outcome;
    expect(done).toEqual(["child", "server"]);
  });

  it("keeps no other from being put back when one fails, and says both what failed and what was left", async () => {
    const done: string[] = [];
    let end: (value: string) => void = () => {};
    const work = afterwards(
      async () => void done.push("outer"),
      () =>
        afterwards(
          () => Promise.reject(new Error("the disk is gone")),
          () =>
            new Promise<string>((resolve) => {
              end = resolve;
            }),
        ),
    );
    expect(await cleanUp()).toEqual([new Error("the disk is gone")]);
    expect(done).toEqual(["outer"]);
    end("late");
    await expect(work).rejects.toThrow("the disk is gone");
    await expect(
      afterwards(
        () => Promise.reject(new Error("the directory stays")),
        () => Promise.reject(new Error("pg_dump failed")),
      ),
    ).rejects.toThrow("pg_dump failed\nand putting back failed, too: the directory stays");
    await afterwards(nothing, nothing);
  });
});
