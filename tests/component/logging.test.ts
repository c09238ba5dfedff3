import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { providers } from "../../components/cluster/providers.ts";
import { Logging } from "../../components/logging/logging.ts";
import type { Settings } from "../../settings.ts";
import { type Declaration, declare, generated, secretOf } from "../support/harness.ts";
import { type Stack, stackSettings } from "../support/platform.ts";

/** Logging alone, below what brings its providers. */
class Alone extends pulumi.ComponentResource {
  constructor(settings: Settings) {
    super("golive:index:Platform", "taskflow", {}, { providers: [...providers(settings)] });
    new Logging({ settings, bundle: "// the keeper" }, { parent: this });
    this.registerOutputs({});
  }
}

const declared = new Map<Stack, Declaration>();
const of = (stack: Stack): Declaration => {
  const declaration = declared.get(stack);
  if (!declaration) throw new Error(`${stack} was not declared`);
  return declaration;
};

beforeAll(async () => {
  for (const stack of ["local", "production"] as const) {
    const settings = stackSettings(stack);
    declared.set(stack, await declare(() => void new Alone(settings), 11));
  }
});

describe("the log pipeline of a stack", () => {
  it("is these resources, each after what it needs", () => {
    const all = of("production").all.filter(({ custom, type }) => custom && !type.startsWith("pulumi:providers:"));
    const label = (each: { readonly type: string; readonly name: string }) =>
      `${each.type.split(":").at(-1)} ${each.name}`;
    const needs = Object.fromEntries(
      all.map((each) => [label(each), each.dependsOn.map((on) => on.split(":").slice(-3).filter(Boolean).join(" "))]),
    );
    const access = ["ConfigMap index-keeper", "Secret elasticsearch-roles", "Secret index-keeper"];
    const elasticsearch = [...access, "Elasticsearch elasticsearch"];
    expect(needs).toEqual({
      "Namespace logging": [],
      "Namespace logging-nodes": [],
      "RandomPassword index-keeper-password": [],
      "Secret elasticsearch-roles": ["Namespace logging"],
      "Secret index-keeper": ["Namespace logging", "RandomPassword index-keeper-password"],
      "ConfigMap index-keeper": ["Namespace logging"],
      "Elasticsearch elasticsearch": access,
      "Kibana kibana": elasticsearch,
      "Logstash logstash": elasticsearch,
      "Beat filebeat": ["Namespace logging-nodes", "Logstash logstash"],
    });
  });

  it("keeps the lines of production when its Elasticsearch is removed from the program, and not those of a rehearsal", () => {
    for (const [stack, kept] of [
      ["production", true],
      ["local", false],
    ] as const) {
      for (const [kind, name] of [
        ["Elasticsearch", "elasticsearch"],
        ["Namespace", "logging"],
      ] as const) {
        const { protect, retainOnDelete } = of(stack).find(kind, name);
        expect([stack, name, protect, retainOnDelete]).toEqual([stack, name, kept, kept]);
      }
    }
    expect(of("production").find("Beat", "filebeat").protect).toBe(false);
  });

  it("gives the keeper a password that nobody reads in the state", () => {
    const { inputs } = of("production").find("Secret", "index-keeper");
    expect(secretOf(inputs.stringData)).toMatchObject({
      username: "index-keeper",
      password: generated("index-keeper-password"),
      roles: "golive_index_keeper",
    });
    expect(of("production").clearText).not.toContain(generated("index-keeper-password"));
  });
});
