import { delimiter } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubectl } from "../../local/cluster/api.ts";
import { places } from "../../local/places.ts";
import { outcomeOf } from "../../local/run.ts";
import { namespaceExists, until } from "../support/live-cluster.ts";
import { runbookSections } from "../support/runbooks.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const sections = await runbookSections();
/** Each command once, with the sections that name it. */
const commands = Map.groupBy(
  sections.flatMap(({ page, anchor, commands }) =>
    commands.filter(({ changes }) => !changes).map(({ text }) => ({ text, from: `${page}#${anchor}` })),
  ),
  ({ text }) => text,
);

describe("what the runbooks tell whoever was woken to look at", () => {
  let stack: LiveStack;

  beforeAll(async () => {
    stack = await LiveStack.open("local");
    await stack.succeedUp();
    // No run waits for what only watches it: these commands do.
    await kubectl(["-n", "local", "wait", "--for=condition=Available", "deployments", "--all", "--timeout=120s"]);
    await until("Prometheus and Alertmanager are ready", async () => {
      const set = async (name: string) =>
        await kubectl(["-n", "monitoring", "get", "statefulset", name, "-o", "jsonpath={.status.readyReplicas}"]).catch(
          () => "",
        );
      return (await set("prometheus-taskflow")) === "1" && (await set("alertmanager-taskflow")) === "1";
    });
  });
  afterAll(async () => {
    if (await namespaceExists("local")) await stack?.destroy();
    await stack?.close();
  });

  it.each([...commands].map(([text, all]) => [text, all.map(({ from }) => from).join(", ")] as const))(
    "can be looked at: %s (%s)",
    { timeout: 90_000 },
    async (text) => {
      const asked = /^\.\/golive pulumi (.*) --stack \$STACK$/.exec(text)?.[1];
      if (asked !== undefined) {
        // The stack of this test has a backend of its own.
        const result = await stack.run(asked.split(" "));
        return expect(result.exitCode, textOf(result)).toBe(0);
      }
      const { code, stdout, stderr } = await outcomeOf("bash", ["-euo", "pipefail", "-c", text], {
        cwd: places.root,
        env: {
          PATH: [places.bin, process.env.PATH ?? ""].join(delimiter),
          KUBECONFIG: places.kubeconfig,
          NAMESPACE: "local",
          STACK: "local",
        },
      });
      expect(code, `${stderr}${stdout}`).toBe(0);
    },
  );
});
