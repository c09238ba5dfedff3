import { describe, expect, it } from "vitest";
import { dataIsProtected } from "../../policies/stores/data-is-protected.ts";
import { databaseNeedsTls } from "../../policies/stores/database-needs-tls.ts";
import { databaseRolesAreSmall } from "../../policies/stores/database-roles-are-small.ts";
import { volumesOutliveTheirServer } from "../../policies/stores/volumes-outlive-their-server.ts";
import { namespace, object, objections, resource } from "../support/policy-cases.ts";

const claims = { volumeClaimTemplates: [{ metadata: { name: "data" } }] };

describe("data-is-protected", () => {
  const stack = (protect: boolean) => [
    namespace("production", {}, protect),
    object("PersistentVolumeClaim", "backups", {}, protect),
    object("StatefulSet", "redis", { spec: claims }, protect),
    object("Cluster", "postgres", {}, protect),
    resource("postgresql:index/database:Database", "shop", {}, protect),
    resource("random:index/randomPassword:RandomPassword", "postgres-backup-key", {}, protect),
  ];

  it("objects to everything with data in it that one wrong destroy would delete", () => {
    expect(objections(dataIsProtected, stack(true))).toEqual([]);
    expect(objections(dataIsProtected, stack(false))).toMatchInlineSnapshot(`
      [
        "PersistentVolumeClaim/production/backups protect: found PersistentVolumeClaim backups holds data and is not protected; wanted protect: true. Fix: set the option protect, by the environment's defaults in settings/environments.ts",
        "StatefulSet/production/redis protect: found StatefulSet redis holds data and is not protected; wanted protect: true. Fix: set the option protect, by the environment's defaults in settings/environments.ts",
        "Cluster/production/postgres protect: found Cluster postgres holds data and is not protected; wanted protect: true. Fix: set the option protect, by the environment's defaults in settings/environments.ts",
        "shop protect: found postgresql:index/database:Database shop holds data and is not protected; wanted protect: true. Fix: set the option protect, by the environment's defaults in settings/environments.ts",
        "postgres-backup-key protect: found random:index/randomPassword:RandomPassword postgres-backup-key holds data and is not protected; wanted protect: true. Fix: set the option protect, by the environment's defaults in settings/environments.ts",
        "Namespace/production protect: found Namespace production holds data and is not protected; wanted protect: true. Fix: set the option protect, by the environment's defaults in settings/environments.ts",
      ]
    `);
  });

  it("does not ask it of what holds nothing", () => {
    const harmless = [
      namespace("empty"),
      object("StatefulSet", "queue"),
      object("Secret", "tls"),
      object("ConfigMap", "web"),
    ];
    expect(objections(dataIsProtected, harmless)).toEqual([]);
  });
});

describe("volumes-outlive-their-server", () => {
  it("objects to a controller or an operator that deletes them", () => {
    const policy = { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } };
    const good = [
      object("StatefulSet", "redis", { spec: claims }),
      object("Prometheus", "shop", { spec: { storage: {} } }),
    ];
    expect(objections(volumesOutliveTheirServer, good)).toEqual([]);
    const bad = [
      object("StatefulSet", "redis", { spec: { ...claims, ...policy } }),
      object("Prometheus", "shop", { spec: { storage: {}, ...policy } }),
      object("Elasticsearch", "logs", { spec: {} }),
    ];
    expect(objections(volumesOutliveTheirServer, bad)).toMatchInlineSnapshot(`
      [
        "StatefulSet/production/redis spec.persistentVolumeClaimRetentionPolicy.whenDeleted: found Delete; wanted Retain. Fix: write whenDeleted: Retain",
        "Prometheus/production/shop spec.persistentVolumeClaimRetentionPolicy.whenDeleted: found Delete; wanted Retain. Fix: write whenDeleted: Retain",
        "Elasticsearch/production/logs spec.volumeClaimDeletePolicy: found none, which deletes them; wanted DeleteOnScaledownOnly. Fix: write volumeClaimDeletePolicy: DeleteOnScaledownOnly",
      ]
    `);
  });
});

describe("database-roles-are-small", () => {
  const role = (more: object) => ({ name: "shop_app_a", login: true, passwordSecret: { name: "a" }, ...more });
  const cluster = (spec: object) => object("Cluster", "db", { spec });

  it("lets the owner and the backup pass row level security, and nobody else", () => {
    const roles = [
      role({}),
      role({ name: "shop_user", bypassrls: true }),
      role({ name: "shop_backup", bypassrls: true }),
    ];
    expect(objections(databaseRolesAreSmall, [cluster({ managed: { roles } })])).toEqual([]);
    const bad = [
      role({ bypassrls: true }),
      role({ superuser: true }),
      role({ createrole: true }),
      role({ passwordSecret: undefined }),
    ];
    const said = objections(databaseRolesAreSmall, [cluster({ enableSuperuserAccess: true, managed: { roles: bad } })]);
    expect(said).toMatchInlineSnapshot(`
      [
        "Cluster/production/db spec.enableSuperuserAccess: found a login for postgres; wanted none. Fix: leave it out",
        "Cluster/production/db spec.managed.roles[shop_app_a].bypassrls: found shop_app_a with bypassrls; wanted none. Fix: set bypassrls to false",
        "Cluster/production/db spec.managed.roles[shop_app_a].superuser: found shop_app_a with superuser; wanted none. Fix: set superuser to false",
        "Cluster/production/db spec.managed.roles[shop_app_a].createrole: found shop_app_a with createrole; wanted none. Fix: set createrole to false",
        "Cluster/production/db spec.managed.roles[shop_app_a].passwordSecret: found a login without a password; wanted none. Fix: name its Secret",
      ]
    `);
  });

  it("judges roles and grants that Pulumi makes by itself the same way", () => {
    const grant = (object: Record<string, unknown>) => resource("postgresql:index/grant:Grant", "tables", object);
    expect(
      objections(databaseRolesAreSmall, [
        grant({ role: "shop_app", privileges: ["SELECT"] }),
        grant({ role: "public", privileges: [] }),
      ]),
    ).toEqual([]);
    const bad = [
      resource("postgresql:index/role:Role", "app", { name: "shop_app_a", bypassRowLevelSecurity: true }),
      grant({ role: "shop_app", privileges: ["ALL"] }),
      grant({ role: "public", privileges: ["CONNECT"], withGrantOption: true }),
    ];
    expect(objections(databaseRolesAreSmall, bad)).toMatchInlineSnapshot(`
      [
        "app bypassRowLevelSecurity: found shop_app_a with bypassRowLevelSecurity; wanted none. Fix: set bypassRowLevelSecurity to false",
        "tables privileges: found ALL; wanted none. Fix: name the privileges",
        "tables role: found privileges for every login of the server; wanted none. Fix: grant to a group of the application",
        "tables withGrantOption: found a right to hand on; wanted none. Fix: leave it out",
      ]
    `);
  });
});

describe("database-needs-tls", () => {
  const cluster = (...pg_hba: readonly string[]) => object("Cluster", "db", { spec: { postgresql: { pg_hba } } });
  const refuse = "hostnossl all all all reject";

  it("objects to every line that lets a password cross the network in clear", () => {
    const own = "host all all 127.0.0.1/32 scram-sha-256";
    expect(objections(databaseNeedsTls, [cluster(own, "hostssl all all all scram-sha-256", refuse)])).toEqual([]);
    const bad = cluster("host all all all scram-sha-256", "hostssl all all all trust");
    expect(objections(databaseNeedsTls, [bad])).toMatchInlineSnapshot(`
      [
        "Cluster/production/db spec.postgresql.pg_hba[0]: found host all all all scram-sha-256; wanted hostssl, with scram-sha-256 or cert. Fix: write hostssl",
        "Cluster/production/db spec.postgresql.pg_hba[1]: found hostssl all all all trust; wanted hostssl, with scram-sha-256 or cert. Fix: write scram-sha-256",
        "Cluster/production/db spec.postgresql.pg_hba: found nothing that refuses connections without TLS; wanted hostnossl all all all reject. Fix: add the line, as the last one",
      ]
    `);
  });
});
