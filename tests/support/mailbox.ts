import { once } from "node:events";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";

/** One mail as it was delivered. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

export interface Access {
  readonly user?: string;
  readonly password?: string;
  readonly host?: string;
}

/** A mail server that keeps what it gets. */
export class Mailbox {
  readonly mails: Mail[] = [];
  readonly #server: SMTPServer;

  private constructor(server: (mailbox: Mailbox) => SMTPServer) {
    this.#server = server(this);
  }

  /**
   * `user`, `password`: who may send; without them, anybody. `host`: the address of this machine to listen on. Alertmanager
   * says a password in clear to loopback alone.
   */
  static async open({ user, password, host = "127.0.0.1" }: Access = {}): Promise<Mailbox> {
    const mailbox = new Mailbox(
      ({ mails }) =>
        new SMTPServer({
          authMethods: ["PLAIN"],
          authOptional: user === undefined,
          // It never leaves this machine: no certificate, hence no STARTTLS, and a password in clear.
          allowInsecureAuth: true,
          disabledCommands: ["STARTTLS"],
          onAuth: (given, _session, done) =>
            given.username === user && given.password === password
              ? done(null, { user: given.username })
              : done(new Error("wrong user or password")),
          onData: (stream, { envelope }, done) => {
            text(stream).then((raw) => {
              mails.push({
                from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
                to: envelope.rcptTo.map(({ address }) => address),
                ...readMail(raw),
              });
              done();
            }, done);
          },
        }),
    );
    const listening = mailbox.#server.listen(0, host);
    await once(listening, "listening");
    return mailbox;
  }

  /** `host:port`. */
  get smarthost(): string {
    const address = this.#server.server.address();
    if (address === null || typeof address === "string") throw new Error("the mail server does not listen");
    return `${address.address}:${address.port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The subject and the plain text of a mail with one text part, in quoted-printable. */
function readMail(raw: string): { readonly subject: string; readonly text: string } {
  const [, subject = ""] = /^Subject: (.*)\r$/m.exec(raw) ?? [];
  const [, body = ""] = /Content-Type: text\/plain[\s\S]*?\r\n\r\n([\s\S]*?)\r\n--/.exec(raw) ?? [];
  const bytes = body
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { subject, text: Buffer.from(bytes, "latin1").toString("utf8").replaceAll("\r\n", "\n") };
}
