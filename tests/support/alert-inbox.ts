import { OnCallTool } from "./alertmanager.ts";
import { Mailbox } from "./mailbox.ts";

/** One alert as one message tells it. */
export interface Told {
  readonly alert: string;
  readonly status: string;
  /** The mail address, or `on call`. */
  readonly to: string;
}

/** Where a whole stack's messages arrive: mails to every team, and calls to the on-call tool. */
export class AlertInbox {
  readonly #mailbox: Mailbox;
  readonly #tool: OnCallTool;

  private constructor(mailbox: Mailbox, tool: OnCallTool) {
    this.#mailbox = mailbox;
    this.#tool = tool;
  }

  /** Opens both on an address of this machine that pods reach. */
  static async open(host: string): Promise<AlertInbox> {
    const mailbox = await Mailbox.open({ host });
    return new AlertInbox(mailbox, await new OnCallTool().open(host));
  }

  get smarthost(): string {
    return this.#mailbox.smarthost;
  }

  get onCallUrl(): string {
    return this.#tool.url;
  }

  /** Whether the dead man's switch was heard. */
  get alive(): boolean {
    return this.#tool.calls.some(({ commonLabels }) => commonLabels.alertname === "Watchdog");
  }

  /** How many messages there are of each kind: what comes later is told by `messages`. */
  mark(): Mark {
    return { mails: this.#mailbox.mails.length, calls: this.#tool.calls.length };
  }

  /** Every alert that somebody was told of since, and who: `DatabaseDown -> dba@taskflow.com`, once each. */
  messages(since: Mark = { mails: 0, calls: 0 }): readonly string[] {
    return [...new Set(this.#told(since).map(({ alert, to }) => `${alert} -> ${to}`))].sort();
  }

  /** Alerts whose last message since, to somebody at least, says that they fire. */
  firing(since: Mark = { mails: 0, calls: 0 }): readonly string[] {
    const last = new Map(this.#told(since).map(({ alert, to, status }) => [`${alert} ${to}`, { alert, status }]));
    const names = [...last.values()].filter(({ status }) => status === "firing").map(({ alert }) => alert);
    return [...new Set(names)].sort();
  }

  #told(since: Mark): readonly Told[] {
    const mails = this.#mailbox.mails.slice(since.mails).flatMap(({ to, text }) => {
      // Each alert of a mail begins a line: `Name (severity, status): …`.
      const found = [...text.matchAll(/^(\w+) \(\w+, (firing|resolved)\):/gm)];
      return to.flatMap((address) => found.map(([, alert = "", status = ""]) => ({ alert, status, to: address })));
    });
    const calls = this.#tool.calls
      .slice(since.calls)
      .flatMap(({ alerts }) =>
        alerts.map(({ labels, status }) => ({ alert: labels.alertname ?? "", status, to: "on call" })),
      );
    return [...mails, ...calls].filter(({ alert }) => alert !== "Watchdog");
  }

  async close(): Promise<void> {
    await this.#mailbox.close();
    await this.#tool.close();
  }
}

export interface Mark {
  readonly mails: number;
  readonly calls: number;
}
