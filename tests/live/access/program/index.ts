import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { KubeConfig } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
// This program is copied to a directory that is as deep below the checkout as this one.
import { Access } from "../../../../components/database/access.ts";
import { loginPasswords } from "../../../../components/database/passwords.ts";
import { reachDatabase } from "../../../../components/database/reach.ts";
import { roleNames, rolesOf } from "../../../../components/database/roles.ts";
import { settingsWith } from "../../../../tests/support/config.ts";
import type { AccessPlan } from "./access-plan.ts";

const plan: AccessPlan = JSON.parse(readFileSync(process.env.GOLIVE_TEST_PLAN ?? "", "utf8")).postgresql;
const { application, rotation, user, password, port, namespace } = plan;

const names = roleNames(application, `${application}_user`);
const roles = rolesOf(names);
const settings = settingsWith({ rotation, database: { kind: "statefulset", forwardPort: port } });
if (namespace !== undefined) {
  const config = new KubeConfig();
  config.loadFromFile(join(import.meta.dirname, "..", "..", "..", "..", ".golive", "kubeconfig"));
  await reachDatabase({ ...settings, namespace }, config);
}

const parent = new pulumi.ComponentResource(
  "golive:test:Parent",
  "parent",
  {},
  { providers: [new random.Provider("r")] },
);
const passwords = loginPasswords(parent, roles, { names, rotation });
const admin = { user, password: pulumi.secret(password), database: "postgres", superuser: true };
const server = { admin, makesRoles: false, ready: [], holder: undefined };
new Access({ settings, server, names, roles, passwords, database: application }, { parent });

export const outputs = passwords;
