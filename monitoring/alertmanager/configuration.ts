import type { Application } from "../../applications/application.ts";
import type { NotifySettings } from "../../settings/monitoring.ts";
import { type Team, teams } from "../alerts/alert.ts";
import { type Clock, hours, minutes } from "../clock.ts";
import { inhibitRules } from "./inhibition.ts";
import { mailSubject, mailText } from "./mail.ts";

export interface AlertmanagerInput {
  readonly contacts: Application["contacts"];
  /** Undefined: nobody is told. */
  readonly notify: NotifySettings | undefined;
  readonly clock: Clock;
  /** Where mails send their reader for dashboards. Default: nowhere. */
  readonly grafanaHostname?: string | undefined;
}

/**
 * What must not stand anywhere but in the Secret that holds the configuration. Alertmanager reads a webhook's URL from a file only
 * since 0.26, and Debian's is 0.25, so that both stand in the text itself.
 */
export interface AlertmanagerSecrets {
  readonly smtpPassword?: string | undefined;
  readonly onCallUrl?: string | undefined;
}

/** Who can be told: a team by mail, whoever is on call, the dead man's switch, and nobody (a name that amlint knows as meant so). */
type ReceiverName = Team | "page" | "heartbeat" | "null";

interface Receiver {
  readonly name: ReceiverName;
  readonly email_configs?: readonly Mail[];
  readonly webhook_configs?: readonly { readonly url: string; readonly send_resolved: boolean }[];
}

interface Mail {
  readonly to: string;
  readonly send_resolved: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

interface Timing {
  readonly group_wait: string;
  readonly group_interval: string;
  readonly repeat_interval: string;
}

interface Route extends Partial<Timing> {
  readonly receiver: ReceiverName;
  readonly matchers?: readonly string[];
  readonly group_by?: readonly string[];
  readonly continue?: boolean;
  readonly routes?: readonly Route[];
}

/**
 * Alertmanager's configuration file, as JSON, which is YAML: who hears of which alert, and which alert speaks for others.
 * @throws RangeError when a secret that `notify` asks for is missing or is no URL; it shows no secret.
 */
export function alertmanagerConfig(input: AlertmanagerInput, secrets: AlertmanagerSecrets = {}): string {
  const { clock, notify } = input;
  const file = {
    global: { resolve_timeout: clock.duration(minutes(5)), ...(notify && mailServer(notify.email, secrets)) },
    // Alertmanager asks for one receiver; the alerts are on its page all the same.
    route: notify === undefined ? rootRoute("null", [], clock) : rootRoute("devops", routes(notify, clock), clock),
    receivers: notify === undefined ? [nobody] : receivers(input, notify, secrets),
    inhibit_rules: inhibitRules,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function mailServer({ smarthost, from, username, requireTls }: NotifySettings["email"], secrets: AlertmanagerSecrets) {
  const server = { smtp_smarthost: smarthost, smtp_from: from, smtp_require_tls: requireTls };
  if (username === undefined) return server;
  if (secrets.smtpPassword === undefined || secrets.smtpPassword === "")
    throw new RangeError(
      "golive:smtpPassword  is not set; golive:monitoring.notify.email has a username: pulumi config set --secret golive:smtpPassword",
    );
  return { ...server, smtp_auth_username: username, smtp_auth_password: secrets.smtpPassword };
}

/** What no route below takes goes to `receiver`: a rule that somebody else added without our labels must not get lost. */
function rootRoute(receiver: ReceiverName, below: readonly Route[], clock: Clock): Route {
  return {
    receiver,
    // One message for each alert of a stack, however many pods it is about: by pod, ten pods are ten mails; by namespace
    // alone, a page would hide inside a group that was announced an hour ago.
    group_by: ["namespace", "alertname"],
    // Long enough for the cause of several alerts to arrive and mute the others.
    ...timing({ wait: 30, interval: minutes(5), repeat: hours(12) }, clock),
    routes: below,
  };
}

function routes(notify: NotifySettings, clock: Clock): readonly Route[] {
  return [
    {
      matchers: ['alertname="Watchdog"'],
      receiver: notify.onCall ? "heartbeat" : "null",
      // It is said again when a round (`interval`) finds it older than `repeat`: with rounds as long as that, every second one.
      ...timing({ wait: 0, interval: minutes(1), repeat: minutes(5) }, clock),
    },
    { matchers: ['severity="info"'], receiver: "null" },
    {
      // Without an on-call tool the mailbox of whoever is on call has to do; that team's own alerts are there already.
      matchers: ['severity="critical"', ...(notify.onCall ? [] : ['team!="oncall"'])],
      receiver: "page",
      continue: true,
      ...timing({ wait: 10, interval: minutes(1), repeat: hours(1) }, clock),
    },
    ...teams.map((team): Route => ({ matchers: [`team="${team}"`], receiver: team })),
  ];
}

/** In real seconds. The clock's least is a millisecond. */
function timing(
  of: { readonly wait: number; readonly interval: number; readonly repeat: number },
  clock: Clock,
): Timing {
  return {
    group_wait: clock.duration(of.wait),
    group_interval: clock.duration(of.interval),
    repeat_interval: clock.duration(of.repeat),
  };
}

function receivers(
  { contacts, grafanaHostname }: AlertmanagerInput,
  { onCall }: NotifySettings,
  secrets: AlertmanagerSecrets,
): readonly Receiver[] {
  const mail = (team: Team) => ({ email_configs: [mailTo(contacts[team], mailText(grafanaHostname))] });
  const byTeam = teams.map((name): Receiver => ({ name, ...mail(name) }));
  if (!onCall) return [...byTeam, { name: "page", ...mail("oncall") }, nobody];
  const url = onCallUrl(secrets);
  return [
    ...byTeam,
    { name: "page", webhook_configs: [{ url, send_resolved: true }] },
    // A heartbeat that ends is the alarm: "resolved" would tell the tool that all is well.
    { name: "heartbeat", webhook_configs: [{ url, send_resolved: false }] },
    nobody,
  ];
}

const nobody: Receiver = { name: "null" };

const mailTo = (to: string, text: string): Mail => ({
  to,
  send_resolved: true,
  headers: { Subject: mailSubject },
  text,
  // Without it the mail gets Alertmanager's own page beside our text.
  html: "",
});

function onCallUrl({ onCallUrl: url }: AlertmanagerSecrets): string {
  if (url === undefined || url === "")
    throw new RangeError(
      "golive:onCallUrl  is not set; golive:monitoring.notify.onCall is true: pulumi config set --secret golive:onCallUrl",
    );
  if (!URL.canParse(url) || !["http:", "https:"].includes(new URL(url).protocol))
    throw new RangeError("golive:onCallUrl  is no URL (it is a secret and not shown); allowed: an http or https URL");
  return url;
}
