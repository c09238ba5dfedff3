import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Progress } from "../../cli/progress.ts";
import { clusterManifest } from "../../components/database/cloudnative-pg.ts";
import { objectStoreManifest, scheduledBackupManifest } from "../../components/database/cloudnative-pg-backups.ts";
import { podMonitorManifest } from "../../components/database/cloudnative-pg-monitor.ts";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { gateway } from "../../local/gateway.ts";
import { send } from "../../local/load/request.ts";
import { installCloudNativePg } from "../../local/operators/cloudnative-pg.ts";
import { answersAs, namespaceExists, until } from "../support/live-cluster.ts";
import { stackSettings } from "../support/platform.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };
const hostname = "taskflow.localhost";

beforeAll(async () => {
  await installCloudNativePg(silent);
});

describe("what production declares of CloudNativePG", () => {
  const settings = { ...stackSettings("production"), namespace: "default" };
  const names = roleNames("taskflow", "taskflow_user");
  const { database } = settings;
  const store = database.kind === "cloudnative-pg" ? database.objectStore : undefined;
  if (store === undefined) throw new Error("production has no object store");

  it.each([
    clusterManifest({ settings, names, roles: rolesOf(names), database: "taskflow" }),
    objectStoreManifest(settings, store),
    scheduledBackupManifest(settings),
    podMonitorManifest(settings),
  ])("is what the API server and the operator take, every field known: $kind", async (manifest) => {
    const dryRun = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-"];
    const [group] = manifest.apiVersion.split("/");
    const said = await kubectl(dryRun, { input: JSON.stringify(manifest) });
    expect(said.trim()).toBe(`${manifest.kind.toLowerCase()}.${group}/postgres`);
  });
});

describe("a stack whose database CloudNativePG runs", () => {
  let stack: LiveStack;

  beforeAll(async () => {
    stack = await LiveStack.open("local");
    await stack.set({
      "database.kind": "cloudnative-pg",
      "database.instances": 1,
      // The mirror of the official image, whose PostgreSQL is 999.
      "database.image": "docker.io/library/postgres:15.14",
      "database.uid": 999,
    });
    await stack.succeedUp();
  });
  afterAll(async () => {
    if (await namespaceExists("local")) await stack?.destroy();
    await stack?.close();
  });

  /** One request to the public route as a browser makes it. */
  const ask = async (path: string, body?: object, token?: string) => {
    const site = { origin: { host: gateway.host, port: gateway.publicPort }, hostname, slowMs: 10_000 };
    const answer = await send(site, { path, body, token });
    return { status: answer.status, body: JSON.parse(answer.body) as Readonly<Record<string, unknown>> };
  };
  const tokenOf = async (email: string) => {
    const { body } = await ask("/api/auth/login", { email, password: "correct horse" });
    return String(body.token);
  };
  const email = "someone@example.test";

  it("has every migration, and serves: who registers can make a task", async () => {
    expect(await stack.output("schema")).toMatchObject({ version: "015", pending: [], held: [] });
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
    const account = await ask("/api/auth/register", { email, password: "correct horse", name: "Someone" });
    expect(account.status).toBe(201);
    const task = await ask("/api/tasks", { title: "feed the cat" }, await tokenOf(email));
    expect([task.status, task.body.title]).toEqual([201, "feed the cat"]);
  });

  it("has roles with exactly the powers of their declaration, made by the operator", async () => {
    const sql = "select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolconnlimit";
    const memberships =
      "array(select g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid)";
    const asked = `select json_agg(x order by rolname) from (${sql}, ${memberships} as groups from pg_roles r where rolname like 'taskflow%') x`;
    const psql = ["exec", "--namespace=local", "postgres-1", "--container=postgres", "--", "psql", "-qAtc", asked];
    const found = JSON.parse(await kubectl(psql));
    const roles = rolesOf(roleNames("taskflow", "taskflow_user"));
    const wanted = roles.map((role) => ({
      rolname: role.name,
      rolcanlogin: role.login,
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: role.createDatabase,
      rolbypassrls: role.bypassRowSecurity,
      rolconnlimit: role.connectionLimit ?? -1,
      groups: role.memberOf,
    }));
    expect(found).toEqual(wanted.toSorted((a, b) => (a.rolname < b.rolname ? -1 : 1)));
  });

  it("lets nobody in over the network without TLS", async () => {
    const login = "host=$(hostname -i) user=taskflow_app_a dbname=taskflow sslmode=disable connect_timeout=5";
    const psql = ["exec", "--namespace=local", "postgres-1", "--container=postgres", "--", "bash", "-c"];
    await expect(kubectl([...psql, `psql --no-password "${login}" -c "select 1"`])).rejects.toThrow(
      /pg_hba\.conf rejects connection for host ".*", user "taskflow_app_a", database "taskflow", no encryption/,
    );
  });

  it.each(["postgres-backup", "postgres-restore-drill"])("does what its CronJob %s is for", async (name) => {
    await kubectl(["create", "job", "--namespace=local", `--from=cronjob/${name}`, `${name}-now`]);
    await kubectl(["wait", "--namespace=local", "--for=condition=Complete", "--timeout=180s", `job/${name}-now`]);
  });

  it("changes nothing on a second run", async () => {
    const preview = await stack.preview("--expect-no-changes");
    expect(preview.exitCode, textOf(preview)).toBe(0);
  });

  it("gets new passwords on a rotation, and serves with them", async () => {
    await stack.set({ rotation: 1 });
    await stack.succeedUp();
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
    const task = await ask("/api/tasks", { title: "feed the dog" }, await tokenOf(email));
    expect([task.status, task.body.title]).toEqual([201, "feed the dog"]);
  });

  it("is gone after a destroy, and its volumes with it", async () => {
    await stack.destroy();
    await until("no namespace local", async () => !(await namespaceExists("local")));
    const volumes = JSON.parse(await kubectl(["get", "persistentvolumes", "--output=json"])) as {
      readonly items: readonly { readonly spec: { readonly claimRef?: { readonly namespace?: string } } }[];
    };
    expect(volumes.items.filter(({ spec }) => spec.claimRef?.namespace === "local")).toEqual([]);
  });
});
