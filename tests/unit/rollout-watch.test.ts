import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { afterAll, describe, expect, it } from "vitest";
import { Failure } from "../../cli/failure.ts";
import { type Looker, patiently } from "../../cli/rollout/patience.ts";
import { pictureOf, type Size } from "../../cli/rollout/picture.ts";
import { statusFrom, statusText } from "../../cli/rollout/status.ts";
import { sinceFull, textOf, type Watched, watchStep } from "../../cli/rollout/watch.ts";
import { places } from "../../local/places.ts";
import { ApiServers, answerJson, routeAnswer } from "../support/api-server.ts";
import { observed, type RouteOptions, routeObject, told } from "../support/live.ts";
import { lookOf } from "../support/rollout-look.ts";
import { until } from "../support/until.ts";

/** What a terminal shows after it was sent these, as far as a watch uses one: home, erasing, lines that are too long. */
class Terminal {
  readonly #size: { readonly columns: number; readonly rows: number };
  #rows: string[] = [];
  #row = 0;
  #column = 0;
  /** Rows that went out at the top: nothing can draw over them any more. */
  readonly scrolled: string[] = [];

  constructor(size: { readonly columns: number; readonly rows: number }) {
    this.#size = size;
  }

  get text(): string {
    return this.#rows
      .map((row) => row.trimEnd())
      .join("\n")
      .trimEnd();
  }

  send(output: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is told by.
    for (const [part] of output.matchAll(/\u001b\[\d?[A-Z]|\n|[^\u001b\n]/gu)) {
      if (part === "\u001b[H") this.#row = this.#column = 0;
      else if (part === "\u001b[2K") this.#rows[this.#row] = "";
      else if (part === "\u001b[J") {
        this.#rows[this.#row] = this.#line.slice(0, this.#column);
        this.#rows.length = this.#row + 1;
      } else if (part === "\n") this.#down();
      else if (part.length > 1) throw new Error(`a terminal of a test knows no ${JSON.stringify(part)}`);
      else this.#write(part);
    }
  }

  get #line(): string {
    return this.#rows[this.#row] ?? "";
  }

  #write(letter: string): void {
    if (this.#column === this.#size.columns) this.#down();
    this.#rows[this.#row] =
      this.#line.slice(0, this.#column).padEnd(this.#column) + letter + this.#line.slice(this.#column + 1);
    this.#column += 1;
  }

  #down(): void {
    this.#column = 0;
    this.#row += 1;
    if (this.#row < this.#size.rows) return;
    this.scrolled.push(this.#rows.shift() ?? "");
    this.#row -= 1;
  }
}

const lines = (count: number, of: string) => Array.from({ length: count }, (_, index) => `${of} ${index + 1}`);

describe("the picture of a watch", () => {
  const size = { columns: 20, rows: 8 };
  const shown = (...pictures: readonly (readonly [text: string, last: string])[]) => {
    const terminal = new Terminal(size);
    terminal.send("$ golive\n");
    for (const [text, last] of pictures) terminal.send(pictureOf(text, last, size));
    return terminal;
  };

  it("is drawn over the one before, and leaves nothing of it", () => {
    const long = lines(4, "a line that was there").join("\n");
    expect(shown([long, "next look in 5 s"], ["a\n\nb", "over"]).text).toBe("a\n\nb\n\nover");
  });

  it("is as high as the terminal and no higher: nothing scrolls away, and the last words are there", () => {
    const terminal = shown([lines(30, "line").join("\n"), "next look in 5 s"], [lines(30, "Line").join("\n"), "over"]);
    expect(terminal.scrolled).toEqual([]);
    expect(terminal.text).toBe(["Line 1", "Line 2", "Line 3", "Line 4", "… (golive rollout st", "", "over"].join("\n"));
  });

  it("breaks a line that is too long as the terminal would, and keeps every letter of one that just fits", () => {
    const terminal = shown([`${"x".repeat(20)}\n${"y".repeat(45)}`, "over"]);
    expect(terminal.text).toBe(["x".repeat(20), "y".repeat(20), "y".repeat(20), "yyyyy", "", "over"].join("\n"));
    expect(terminal.scrolled).toEqual([]);
  });

  it.each<Size>([
    { columns: 0, rows: 0 },
    { columns: undefined, rows: undefined },
  ])("is whole where nobody knows how large the terminal is (%o)", (unknown) => {
    const text = lines(100, "a line").join("\n");
    const terminal = new Terminal({ columns: 200, rows: 200 });
    terminal.send(pictureOf(text, "over", unknown));
    expect(terminal.text).toBe(`${text}\n\nover`);
  });
});

describe("what a watch writes", () => {
  const stack = { name: "local", place: { namespace: "local", application: "taskflow" } };
  const look = lookOf({ told: told({ candidateTraffic: 100 }) }, {});
  const status = statusFrom(stack, look, { records: [], unreadable: undefined, driver: undefined });
  const watched: Watched = { status, sinceFullSeconds: 90 };
  const next = watchStep(watched, 1);
  const written = (json: boolean, isTTY?: boolean) =>
    textOf({ json }, watched, next, { isTTY, columns: 300, rows: 50 });
  const block = `${statusText(status)}\n\n1 min 30 s at 100 %; next look in`;

  it("into a file is a block for each look, without a word to a terminal", () => {
    expect(written(false)).toContain(block);
    expect(written(false)).toMatch(/next look in \S+ \S+( \S+ \S+)?\n\n$/);
    expect(written(false)).not.toContain("\u001b");
  });

  it("in a terminal is a picture of the same", () => {
    const terminal = new Terminal({ columns: 300, rows: 50 });
    terminal.send(written(false, true));
    expect(terminal.text).toContain(block);
  });

  it("as JSON is one line for each look, in a terminal, too", () => {
    expect(written(true, true)).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(written(true, true))).toMatchObject({ stack: "local", candidate: "green" });
  });
});

describe("the day of a watch", () => {
  const hours = (live: Parameters<typeof observed>[0]) => {
    const seconds = sinceFull(observed(live), "green", 24);
    return seconds === undefined ? undefined : seconds / 3600;
  };
  const full = told({ candidateTraffic: 100 });

  it("counts from when the candidate got 100 %", () => {
    expect(hours({ told: full, hoursAgo: 3 })).toBe(3);
    expect(hours({ told: told({ candidateTraffic: 50 }), hoursAgo: 3 })).toBeUndefined();
  });

  it("does not begin anew when the other colour is retired at its end", () => {
    expect(hours({ told: { ...full, retired: ["blue"] }, hoursAgo: 1 })).toBe(25);
  });
});

describe("patience with a cluster", () => {
  const looker = () => {
    const notes: string[] = [];
    let rested = 0;
    const one: Looker = {
      stopped: undefined,
      note: (text) => void notes.push(text),
      rest: async (seconds) => {
        rested += seconds;
      },
    };
    return { one, notes, rested: () => rested };
  };

  it("asks again until it answers, and says what it waits for", async () => {
    const { one, notes } = looker();
    const answers = [() => Promise.reject(new Error("socket hang up\nand more")), () => Promise.resolve(7)];
    expect(await patiently(one, () => answers.shift()?.() ?? Promise.resolve(0))).toBe(7);
    expect(notes).toEqual(["socket hang up; asking again"]);
  });

  it("ends after five minutes, and at once with what no waiting mends, or when it is stopped", async () => {
    const { one, notes, rested } = looker();
    await expect(patiently(one, () => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
    expect([rested(), notes.length]).toEqual([300, 60]);
    const refused = () => Promise.reject(new Failure("no such stack", 2));
    await expect(patiently(one, refused)).rejects.toThrow("no such stack");
    await expect(patiently({ ...one, stopped: "SIGINT" }, () => Promise.reject(new Error("gone")))).rejects.toThrow();
    expect(notes).toHaveLength(60);
  });
});

describe.concurrent("golive rollout watch", { timeout: 60_000 }, () => {
  const servers: ApiServers[] = [];
  const children: ChildProcess[] = [];
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    for (const each of servers) {
      await each.stop();
      each.remove();
    }
  });

  /** An API server with this route, by a kubeconfig of its own; it hangs up on the first so many questions for the route. */
  async function kubeconfig(route: RouteOptions, hangUps = 0): Promise<string> {
    const own = new ApiServers();
    servers.push(own);
    let left = hangUps;
    const answer = routeAnswer(200, routeObject(route));
    const url = await own.serve((request, response) => {
      const path = request.url ?? "";
      if (/\/(leases|services)\//.test(path)) answerJson(response, 404, { message: "none" });
      else if (path.includes("/httproutes/") && left-- > 0) request.socket.destroy();
      else answer(request, response);
    });
    return own.kubeconfig(url);
  }

  /** Starts it; a backend of the user's own keeps it off the throw-away cluster. */
  function start(config: string, args: readonly string[], inTerminal = false) {
    const main = join(places.root, "cli", "main.ts");
    const words = [process.execPath, main, "rollout", "watch", "--stack", "local", ...args];
    const [file = "", ...rest] = inTerminal ? ["script", "-qec", words.join(" "), "/dev/null"] : words;
    const env = { ...process.env, PULUMI_BACKEND_URL: "file:///nowhere", KUBECONFIG: config };
    const child = spawn(file, rest, { env, stdio: "pipe" });
    children.push(child);
    let said = "";
    let complained = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complained += text;
    });
    const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    return { child, ended, said: () => said.replaceAll("\r\n", "\n"), complained: () => complained };
  }

  it("in a terminal waits for an API server that restarts, draws over what it said, and ends with 130 at Ctrl-C", async ({
    expect,
  }) => {
    const { child, ended, said } = start(await kubeconfig({ told: told({ candidateTraffic: 10 }) }, 2), [], true);
    await until("a picture", async () => said().includes("next look in"), 30);
    child.stdin.write("\u0003");
    expect(await ended).toBe(130);
    const [before = "", picture = ""] = said().split("\u001b[H");
    expect(before).toMatch(/; asking again\n$/);
    const terminal = new Terminal({ columns: 200, rows: 50 });
    terminal.send(`$ golive\n${before}\u001b[H${picture.replace("^C", "")}`);
    const words = terminal.text.split("\n").map((line) => line.split(" ")[0]);
    expect(words).toEqual("taskflow,,candidate,ladder,share,file,gate,measured,driver,next,,next".split(","));
    expect(terminal.text).toContain("ladder     0 > [10] > 50 > 100\n");
  });

  it("as JSON ends well when its reader has gone", async ({ expect }) => {
    const config = await kubeconfig({ told: told({ candidateTraffic: 10 }) });
    const { child, ended, said, complained } = start(config, ["--json"]);
    await until("a line", async () => said().includes("\n"), 30);
    child.stdout.destroy();
    expect(await ended).toBe(0);
    expect(complained()).toBe("");
    expect(JSON.parse(said())).toMatchObject({ stack: "local", live: { blue: 90, green: 10 } });
  });

  it("ends with 1 when the release was taken off, and says what to do", async ({ expect }) => {
    const route = { told: told({ candidateTraffic: 10 }), trip: "green: 30 % failed (guard, 2026-11-21T11:00:00Z)" };
    const { ended, said, complained } = start(await kubeconfig(route), []);
    expect(await ended).toBe(1);
    expect(said()).toMatch(/\n\nfailing: green was tripped by guard .*\n\n$/);
    expect(complained()).toMatch(/^failing: green was tripped .*\nNext: golive rollout abort --now --stack local\n$/);
  });
});
