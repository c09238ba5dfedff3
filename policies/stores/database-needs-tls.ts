import { everywhere } from "../levels.ts";
import { at, textsOf } from "../manifest.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** `pg_hba`: the first line that fits decides. */
export const databaseNeedsTls: ResourceRule = {
  id: "database-needs-tls",
  summary: "The database lets nobody in from another pod without TLS and a password.",
  why: "Passwords and rows cross the cluster's network in clear, where every pod of a machine may listen.",
  severity: "high",
  sources: ["S4-22", "C43"],
  levels: everywhere,
  example: {
    bad: "pg_hba: [host all all all md5]",
    good: "pg_hba: [hostssl all all all scram-sha-256, hostnossl all all all reject]",
  },
  judge(subject) {
    if (kindOf(subject) !== "Cluster") return [];
    const lines = textsOf(at(subject.object, "spec", "postgresql", "pg_hba"));
    const refused = lines.some((line) => /^hostnossl\s+all\s+all\s+all\s+reject$/.test(line));
    return [
      ...lines.flatMap((line, index) => lineProblems(`spec.postgresql.pg_hba[${index}]`, line)),
      ...(refused
        ? []
        : [
            {
              path: "spec.postgresql.pg_hba",
              found: "nothing that refuses connections without TLS",
              wanted: "hostnossl all all all reject",
              fix: "add the line, as the last one",
            },
          ]),
    ];
  },
};

function lineProblems(path: string, line: string): readonly Finding[] {
  const [kind = "", , , address = "", method = ""] = line.split(/\s+/);
  if (method === "reject" || ["127.0.0.1/32", "::1/128"].includes(address)) return [];
  const open = kind === "host" || kind === "hostnossl";
  if (!open && ["scram-sha-256", "cert"].includes(method)) return [];
  return [
    {
      path,
      found: line,
      wanted: "hostssl, with scram-sha-256 or cert",
      fix: open ? "write hostssl" : "write scram-sha-256",
    },
  ];
}
