import { everywhere } from "../levels.ts";
import { labelsOf } from "../manifest.ts";
import { podsOf } from "../pod.ts";
import type { ResourceRule } from "../rule.ts";

/** What Grafana must be told: its own default is the other one, or another source may set it. */
const wanted: Readonly<Record<string, string>> = {
  GF_AUTH_ANONYMOUS_ENABLED: "false",
  GF_USERS_ALLOW_SIGN_UP: "false",
  GF_SNAPSHOTS_ENABLED: "false",
};

/** Dashboards show who uses the application, and how much. */
export const grafanaNeedsALogin: ResourceRule = {
  id: "grafana-needs-a-login",
  summary:
    "Grafana lets nobody look without a login, nobody sign up, and shares no snapshots; its admin's password comes from a file.",
  why: "It is reachable from outside: without a login everybody can ask Prometheus everything, and `admin`/`admin` is its default.",
  severity: "high",
  sources: ["S4-75", "S1-28"],
  levels: everywhere,
  example: {
    bad: "env: [{name: GF_AUTH_ANONYMOUS_ENABLED, value: 'true'}]",
    good: "env: [{name: GF_AUTH_ANONYMOUS_ENABLED, value: 'false'}, {name: GF_SECURITY_ADMIN_PASSWORD__FILE, value: /etc/golive/grafana/admin-password}]",
  },
  judge(subject) {
    return podsOf(subject).flatMap(({ containers }) =>
      containers.flatMap(({ path, object }) => {
        const isGrafana =
          labelsOf(subject).component === "grafana" || /(^|\/)grafana(-\w+)?[:@]/.test(object.image ?? "");
        if (!isGrafana) return [];
        const env = new Map((object.env ?? []).map(({ name, value }) => [name, value]));
        const wrong = Object.entries(wanted).filter(([name, value]) => env.get(name) !== value);
        const password = env.get("GF_SECURITY_ADMIN_PASSWORD__FILE");
        return [
          ...wrong.map(([name, value]) => ({
            path: `${path}.env[${name}]`,
            found: env.get(name) ?? "nothing",
            wanted: value,
            fix: `set ${name} to ${value}`,
          })),
          ...(password === undefined
            ? [
                {
                  path: `${path}.env[GF_SECURITY_ADMIN_PASSWORD__FILE]`,
                  found: "nothing: the password is admin",
                  wanted: "a file of a Secret",
                  fix: "mount the Secret, and name its file",
                },
              ]
            : []),
        ];
      }),
    );
  },
};
