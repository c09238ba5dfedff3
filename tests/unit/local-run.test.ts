import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { identify } from "../../local/cluster/processes.ts";

const module = join(import.meta.dirname, "..", "..", "local", "run.ts");

describe("a command that is run", () => {
  it("does not outlive the process that waits for it", async () => {
    const program = `
      import { outcomeOf } from ${JSON.stringify(module)};
      const onLine = (line) => { console.log(line); process.stdin.resume().once("end", () => process.exit(7)); };
      void outcomeOf("sh", ["-c", "echo $$ >&2; exec sleep 60"], { onLine });
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    const pid = Number(String((await once(child.stdout, "data"))[0]));
    expect(identify(pid)).toBeDefined();
    child.stdin.end();
    expect(await exited).toEqual([7, null]);
    await expect.poll(() => identify(pid)).toBeUndefined();
  });
});
