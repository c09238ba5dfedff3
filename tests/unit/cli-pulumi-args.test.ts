import { describe, expect, it } from "vitest";
import { readPulumiArgs } from "../../cli/pulumi-args.ts";

const read = (line: string) => readPulumiArgs(line.split(" "), "/home/dev");

describe("a Pulumi command line", () => {
  it.each([
    ["up --stack staging --yes", "up", undefined, "staging"],
    ["up -s staging", "up", undefined, "staging"],
    ["up --stack=staging", "up", undefined, "staging"],
    ["up -sstaging", "up", undefined, "staging"],
    ["--color never preview", "preview", undefined, undefined],
    ["-v 3 preview -slocal", "preview", undefined, "local"],
    ["config --stack local set golive:candidateTraffic 10", "config", "set", "local"],
    ["stack rm local", "stack", "rm", undefined],
    ["--version", undefined, undefined, undefined],
  ])("%s: its command, word after it, and stack are found", (line, command, subcommand, stack) => {
    expect(read(line)).toMatchObject({ command, subcommand, stack });
  });

  it("reaches the engine word for word", () => {
    const line = "--color never up --stack local --target urn:x --yes -m a=b";
    expect(read(line).args).toEqual(line.split(" "));
  });

  it("keeps files where the user stands, though the engine stands elsewhere", () => {
    expect(read("up --plan plan.json --policy-pack=policies").args).toEqual([
      "up",
      "--plan=/home/dev/plan.json",
      "--policy-pack=/home/dev/policies",
    ]);
    expect(read("stack export --file /tmp/state.json").args).toEqual(["stack", "export", "--file=/tmp/state.json"]);
  });

  it("takes nothing after -- for an option", () => {
    const { args, stack } = read("config set golive:x -- --stack");
    expect({ args, stack }).toEqual({ args: ["config", "set", "golive:x", "--", "--stack"], stack: undefined });
  });

  it("shows a directory of the user's own and a question for help", () => {
    expect(read("-C .. up").cwd).toBe("-C");
    expect(read("up --help").asksForHelp).toBe(true);
  });
});
