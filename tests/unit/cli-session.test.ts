import { describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";

const session = () => new Session(lineProgress(() => {}));

describe("the end of a command", () => {
  it("puts everything back, last first, and only once", async () => {
    const done: string[] = [];
    const it = session();
    it.atEnd("cluster", async () => void done.push("cluster"));
    it.atEnd("load", async () => void done.push("load"));
    expect(it.pending).toEqual(["load", "cluster"]);
    expect(await Promise.all([it.end(), it.end()])).toEqual([[], []]);
    expect(done).toEqual(["load", "cluster"]);
    expect(it.pending).toEqual([]);
  });

  it("goes on when one thing cannot be put back, and tells", async () => {
    const done: string[] = [];
    const broken = new Error("no such process");
    const it = session();
    it.atEnd("cluster", async () => void done.push("cluster"));
    it.atEnd("load", () => Promise.reject(broken));
    expect(await it.end()).toEqual([broken]);
    expect(done).toEqual(["cluster"]);
  });

  it("leaves alone what ended by itself", async () => {
    const it = session();
    const forget = it.atEnd("load", () => Promise.reject(new Error("it had ended")));
    forget();
    expect(await it.end()).toEqual([]);
  });
});
