import { describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import { type AlertmanagerInput, alertmanagerConfig } from "../../monitoring/alertmanager/configuration.ts";
import { inhibitRules } from "../../monitoring/alertmanager/inhibition.ts";
import { teams } from "../../monitoring/alerts/alert.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { Clock } from "../../monitoring/clock.ts";
import type { NotifySettings } from "../../settings/monitoring.ts";
import { firings, mutes, production, spokenOf } from "../support/alerts.ts";

const notify: NotifySettings = {
  email: { smarthost: "mail.example.com:587", from: "alerts@taskflow.com", username: "alerts", requireTls: true },
  onCall: true,
};
const secrets = { smtpPassword: "of-the-mail-server", onCallUrl: "https://oncall.example.com/hook/of-the-tool" };
const input = (changes: Partial<AlertmanagerInput> = {}): AlertmanagerInput => ({
  contacts: taskflow.contacts,
  notify,
  clock: new Clock(),
  ...changes,
});
const parsed = (text: string) => JSON.parse(text);
const alerts = alertsOf(production);

describe("Alertmanager's configuration", () => {
  it("sends every team its mail, a page to the on-call tool, and the heartbeat there, too", () => {
    const { receivers } = parsed(alertmanagerConfig(input(), secrets));
    const told = receivers.map(({ name, email_configs = [], webhook_configs = [] }: Receiver) => [
      name,
      ...email_configs.map(({ to }) => to),
      ...webhook_configs.map(({ url }) => url),
    ]);
    expect(told).toEqual([
      ["devops", "devops@taskflow.com"],
      ["dba", "dba@taskflow.com"],
      ["security", "security@taskflow.com"],
      ["oncall", "oncall@taskflow.com"],
      ["page", secrets.onCallUrl],
      ["heartbeat", secrets.onCallUrl],
      ["null"],
    ]);
    for (const team of teams) expect(told.map(([name]: string[]) => name)).toContain(team);
  });

  it("pages by mail where there is no on-call tool, and nobody twice", () => {
    const { receivers, route } = parsed(alertmanagerConfig(input({ notify: { ...notify, onCall: false } }), secrets));
    const page = receivers.find(({ name }: Receiver) => name === "page");
    expect(page.email_configs.map(({ to }: { to: string }) => to)).toEqual(["oncall@taskflow.com"]);
    expect(route.routes.find(({ receiver }: Route) => receiver === "page").matchers).toEqual([
      'severity="critical"',
      'team!="oncall"',
    ]);
    expect(route.routes[0]).toMatchObject({ matchers: ['alertname="Watchdog"'], receiver: "null" });
  });

  it("tells nobody without notify, and is a configuration all the same", () => {
    const file = parsed(alertmanagerConfig(input({ notify: undefined })));
    expect(file.receivers).toEqual([{ name: "null" }]);
    expect(file.route).toMatchObject({ receiver: "null", routes: [] });
    expect(file.inhibit_rules).toEqual(inhibitRules);
  });

  it("sends what no route knows to devops, so that a rule without our labels is not lost", () => {
    expect(parsed(alertmanagerConfig(input(), secrets)).route.receiver).toBe("devops");
  });

  it("waits for causes, and waits less on a clock that is faster", () => {
    const timings = (speed: number) => {
      const { global, route } = parsed(alertmanagerConfig(input({ clock: new Clock(speed) }), secrets));
      const of = ({ group_wait, group_interval, repeat_interval }: Route) => [
        group_wait,
        group_interval,
        repeat_interval,
      ];
      const named = (name: string) => route.routes.find(({ receiver }: Route) => receiver === name);
      return {
        resolve: global.resolve_timeout,
        root: of(route),
        page: of(named("page")),
        beat: of(named("heartbeat")),
      };
    };
    expect(timings(1)).toEqual({
      resolve: "5m",
      root: ["30s", "5m", "12h"],
      page: ["10s", "1m", "1h"],
      beat: ["1ms", "1m", "5m"],
    });
    expect(timings(15)).toEqual({
      resolve: "20s",
      root: ["2s", "20s", "48m"],
      page: ["667ms", "4s", "4m"],
      beat: ["1ms", "4s", "20s"],
    });
  });

  it("groups by namespace and alert, so that one stack's fault is one message and no page hides in an older group", () => {
    expect(parsed(alertmanagerConfig(input(), secrets)).route.group_by).toEqual(["namespace", "alertname"]);
  });

  it("holds each secret where it is needed, once or for the two webhooks, and none that was not asked for", () => {
    const full = alertmanagerConfig(input(), secrets);
    expect(full.split(secrets.smtpPassword).length - 1).toBe(1);
    expect(full.split(secrets.onCallUrl).length - 1).toBe(2);
    const plain: NotifySettings = { email: { ...notify.email, username: undefined }, onCall: false };
    const without = alertmanagerConfig(input({ notify: plain }), secrets);
    expect(without).not.toContain(secrets.smtpPassword);
    expect(without).not.toContain(secrets.onCallUrl);
    expect(without).not.toContain("smtp_auth");
    expect(alertmanagerConfig(input({ notify: undefined }), secrets)).not.toMatch(/of-the-/);
  });

  it.each([
    [{ ...secrets, smtpPassword: undefined }, /^golive:smtpPassword {2}is not set; .*config set --secret/],
    [{ ...secrets, onCallUrl: undefined }, /^golive:onCallUrl {2}is not set; .*config set --secret/],
    [
      { ...secrets, onCallUrl: "oncall/secret-path" },
      /^golive:onCallUrl {2}is no URL \(it is a secret and not shown\)/,
    ],
    [{ ...secrets, onCallUrl: "ftp://secret-path" }, /^golive:onCallUrl {2}is no URL \(it is a secret and not shown\)/],
  ])("refuses a secret that is missing or no URL, and shows none (%#)", (given, message) => {
    expect(() => alertmanagerConfig(input(), given)).toThrow(message);
    expect(() => alertmanagerConfig(input(), given)).not.toThrow(/secret-path/);
  });

  it("gives a mail its severity, alert, place, words and runbook", () => {
    const { receivers } = parsed(alertmanagerConfig(input(), secrets));
    const [{ headers, text, html }] = receivers[0].email_configs;
    for (const part of [
      ".CommonLabels.severity",
      ".CommonLabels.alertname",
      ".CommonLabels.service",
      ".CommonLabels.colour",
    ])
      expect(headers.Subject).toContain(part);
    for (const part of ["summary", "description", "runbook_url"]) expect(text).toContain(`.Annotations.${part}`);
    expect(html).toBe("");
    expect(text).not.toContain("Dashboards");
    const linked = parsed(alertmanagerConfig(input({ grafanaHostname: "grafana.example.com" }), secrets));
    expect(linked.receivers[0].email_configs[0].text).toContain("Dashboards: https://grafana.example.com/dashboards\n");
  });
});

describe("inhibition", () => {
  it("always asks for equal labels, the namespace first", () => {
    for (const rule of inhibitRules) expect(rule.equal[0]).toBe("namespace");
  });

  it("never rests on labels that both sides lack: each side asks for a cause or names its alerts", () => {
    for (const { source_matchers, target_matchers } of inhibitRules)
      for (const side of [source_matchers, target_matchers])
        expect([...spokenOf(side, "alertname"), ...spokenOf(side, "cause")].filter((each) => each === "")).toEqual([]);
    for (const { source_matchers, target_matchers } of inhibitRules)
      for (const side of [source_matchers, target_matchers])
        expect(spokenOf(side, "alertname").length + spokenOf(side, "cause").length).toBeGreaterThan(0);
  });

  it("speaks of alerts and causes that exist, so that a rename does not end a mute", () => {
    const names = new Set(alerts.map(({ name }) => name));
    // An alert that shares no cause has its own name as one.
    const shared = alerts.filter(({ name, labels }) => (labels?.cause ?? name) !== name);
    const causes = new Set(shared.map(({ labels }) => labels?.cause));
    const sides = inhibitRules.flatMap(({ source_matchers, target_matchers }) => [source_matchers, target_matchers]);
    expect(sides.flatMap((side) => spokenOf(side, "alertname")).filter((name) => !names.has(name))).toEqual([]);
    expect(sides.flatMap((side) => spokenOf(side, "cause")).filter((cause) => !causes.has(cause))).toEqual([]);
    const spoken = new Set(sides.flatMap((side) => spokenOf(side, "cause")));
    expect([...causes].filter((cause = "") => !spoken.has(cause))).toEqual([]);
  });

  it("finds on every alert the namespace of its stack, without which nothing mutes it and it mutes nothing", () => {
    const without = alerts.filter((alert) => firings(alert).some(({ namespace = "" }) => namespace === ""));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it("never lets two alerts mute each other, for then nobody would hear of either", () => {
    const each = alerts.flatMap(firings);
    const pairs = each.flatMap((one) => each.map((other) => [one, other] as const));
    const mutual = pairs.filter(
      ([one, other]) =>
        inhibitRules.some((rule) => mutes(rule, one, other)) && inhibitRules.some((rule) => mutes(rule, other, one)),
    );
    expect(mutual.map(([one, other]) => `${one.alertname} and ${other.alertname}`)).toEqual([]);
  });

  it("mutes nothing that users or an operator must hear whatever else is wrong", () => {
    const each = alerts.flatMap(firings);
    const muted = each.filter((target) =>
      each.some((source) => inhibitRules.some((rule) => mutes(rule, source, target))),
    );
    const names = muted.map(({ alertname }) => alertname);
    for (const name of ["PublicHostDown", "DatabaseDown", "CacheDown", "RolloutTripped", "Watchdog"])
      expect(names).not.toContain(name);
  });
});

interface Receiver {
  readonly name: string;
  readonly email_configs?: readonly { readonly to: string }[];
  readonly webhook_configs?: readonly { readonly url: string }[];
}

interface Route {
  readonly receiver: string;
  readonly group_wait: string;
  readonly group_interval: string;
  readonly repeat_interval: string;
}
