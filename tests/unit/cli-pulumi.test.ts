import process from "node:process";
import { describe, expect, it } from "vitest";
import { runChild } from "../../cli/child.ts";
import { Failure } from "../../cli/failure.ts";
import { ownersEnvironment } from "../../cli/pulumi.ts";
import type { Engine } from "../../local/engine.ts";

const resolved: Engine = {
  command: "pulumi",
  standIns: false,
  env: {
    PATH: "/plugins:/bin",
    PULUMI_BACKEND_URL: "file:///ours",
    PULUMI_HOME: "/ours",
    PULUMI_CONFIG_PASSPHRASE_FILE: "/ours/passphrase",
    KUBECONFIG: "/ours/kubeconfig",
  },
};

describe("the environment on a backend of the user's own", () => {
  it("has the user's cluster, login and passphrase", () => {
    const own = {
      PULUMI_BACKEND_URL: "s3://state",
      PULUMI_HOME: "/home/dev/.pulumi",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/home/dev/passphrase",
      KUBECONFIG: "/home/dev/kubeconfig",
    };
    expect(ownersEnvironment(resolved, own)).toEqual({ PATH: "/plugins:/bin", ...own });
  });

  it("has nothing of ours where the user set nothing, down to the engine's process", async () => {
    const env = ownersEnvironment(resolved, { PULUMI_BACKEND_URL: "s3://state" });
    const { stdout } = await runChild(process.execPath, ["-p", "JSON.stringify(process.env)"], {
      cwd: import.meta.dirname,
      env,
      capture: true,
    });
    const inChild: Record<string, string> = JSON.parse(stdout);
    expect(inChild.PULUMI_BACKEND_URL).toBe("s3://state");
    for (const name of ["KUBECONFIG", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"]) {
      expect(inChild).not.toHaveProperty(name);
    }
  });

  it("is refused when there are only stand-ins for the plugins", () => {
    const refused = () => ownersEnvironment({ ...resolved, standIns: true }, { PULUMI_BACKEND_URL: "s3://state" });
    expect(refused).toThrow(/Install pulumi and its plugins, or name a directory of them in GOLIVE_PLUGINS/);
    expect(refused).toThrow(expect.objectContaining({ constructor: Failure, exitCode: 2 }));
  });
});
