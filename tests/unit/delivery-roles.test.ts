import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { places } from "../../local/places.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const roles = new Map(
  parseAllDocuments(readFileSync(join(places.root, ".github", "cluster", "roles.yaml"), "utf8")).map((document) => {
    const role = document.toJS() as { readonly metadata: { readonly name: string }; readonly rules: readonly Rule[] };
    return [role.metadata.name, role.rules] as const;
  }),
);
const golden = join(places.root, "tests", "golden");

/** What every stack that has a list of its resources declares, as RBAC names it: `apps/deployments`. */
const declared = new Set(
  readdirSync(golden)
    .filter((file) => /^urns\..*\.golden\.txt$/.test(file))
    .flatMap((file) => [...readFileSync(join(golden, file), "utf8").matchAll(/kubernetes:([^/:$]+)\/[^:$]+:(\w+)::/g)])
    .map(([, group = "", kind = ""]) => `${group === "core" ? "" : group}/${pluralOf(kind)}`),
);

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (/(s|x|h)$/.test(word)) return `${word}es`;
  return word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
}

describe("the rights of the jobs that only look", () => {
  it("let a look for drift read every kind of resource that a stack declares", () => {
    const rules = (roles.get("golive-drift") ?? []).filter(({ verbs }) => verbs.includes("get"));
    const readable = new Set(
      rules.flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((each) => `${group}/${each}`)),
      ),
    );
    expect(declared.size).toBeGreaterThan(15);
    expect([...declared].filter((each) => !readable.has(each))).toEqual([]);
  });

  it("name each thing, and write nothing but the way to the database", () => {
    expect([...roles.keys()]).toEqual(["golive-preview", "golive-drift"]);
    for (const [name, rules] of roles)
      for (const { resources, verbs, apiGroups } of rules) {
        expect([...resources, ...verbs, ...apiGroups]).not.toContain("*");
        const writes = verbs.filter((verb) => !["get", "list"].includes(verb));
        const isForward = name === "golive-drift" && resources.join() === "pods/portforward";
        expect(writes, `${name}: ${resources}`).toEqual(isForward ? ["create"] : []);
      }
  });

  it("show a preview no Secret", () => {
    expect((roles.get("golive-preview") ?? []).flatMap(({ resources }) => resources)).not.toContain("secrets");
  });
});
