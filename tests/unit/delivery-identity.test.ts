import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { execCredential, identityFor, kubeconfigOf } from "../../cli/delivery/identity.ts";
import { keepIdentity, login } from "../../cli/delivery/login.ts";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { places } from "../../local/places.ts";

const expires = new Date("2026-11-21T12:05:00.000Z");
const jwt = (audience: string, claims: object = { exp: expires.getTime() / 1000 }) =>
  ["head", JSON.stringify({ aud: audience, ...claims }), "signature"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");

const trusting = {
  context: "golive-production",
  server: "https://10.0.0.1:6443",
  authority: "UEVN",
  audience: "golive",
};

describe("the identity of a job", () => {
  let url = "";
  let answer: (audience: string) => { status: number; body: string };
  const server = createServer((request, response) => {
    const audience = new URL(request.url ?? "/", "http://localhost").searchParams.get("audience") ?? "";
    const { status, body } =
      request.headers.authorization === "Bearer the-right" ? answer(audience) : { status: 401, body: "" };
    response.writeHead(status).end(body);
  });
  const env = () => ({ ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "the-right" });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`;
  });
  beforeEach(() => {
    answer = (audience) => ({ status: 200, body: JSON.stringify({ value: jwt(audience) }) });
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("is asked for one audience, and says when it ends", async () => {
    expect(await identityFor("golive", env())).toEqual({ value: jwt("golive"), expiresAt: expires });
  });

  it("is not there in a job without the right to show it, which is named", async () => {
    await expect(identityFor("golive", {})).rejects.toThrow("permissions: id-token: write");
  });

  it.each([
    ["is refused", { status: 403, body: jwt("x") }, "it answered 403"],
    ["is not in the answer", { status: 200, body: "{}" }, "its answer has none"],
    ["never ends", { status: 200, body: JSON.stringify({ value: jwt("x", {}) }) }, "does not say when it ends"],
    ["is no token", { status: 200, body: JSON.stringify({ value: "a.b.c" }) }, "does not say when it ends"],
  ])("that %s is told, without what was answered", async (_, given, message) => {
    answer = () => given;
    const refused = identityFor("golive", env());
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(jwt("x"));
  });

  it("is what a Kubernetes client asks its plugin for", () => {
    expect(JSON.parse(execCredential({ value: "a-token", expiresAt: expires }))).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "a-token", expirationTimestamp: "2026-11-21T12:05:00.000Z" },
    });
  });

  it("reaches the API server through a kubeconfig that holds no secret, by the command that it names", async () => {
    for (const [name, value] of Object.entries(env())) vi.stubEnv(name, value);
    const text = stringify(kubeconfigOf(trusting, join(places.root, "golive")));
    expect(text).not.toMatch(/token:|password|client-key/);
    const config = new KubeConfig();
    config.loadFromString(text);
    expect(config.getCurrentContext()).toBe("golive-production");
    const options: { headers?: Record<string, string> } = {};
    await config.applyToHTTPSOptions(options);
    expect(options.headers).toMatchObject({ Authorization: `Bearer ${jwt("golive")}` });
  }, 60_000);

  describe("in a cloud", () => {
    let directory: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "golive-identity-"));
    });
    afterEach(() => rm(directory, { recursive: true }));

    it("is in a file of the job's own, made for that cloud only where it is in use, and fresh until the command ends", async () => {
      const session = new Session(lineProgress(() => {}));
      const job = { ...env(), RUNNER_TEMP: directory, AWS_ROLE_ARN: "arn:aws:iam::1:role/state", AZURE_CLIENT_ID: "" };
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      try {
        const files = await keepIdentity(session, job);
        const file = join(directory, "golive-identity", "identity-aws");
        expect(files).toEqual({ AWS_WEB_IDENTITY_TOKEN_FILE: file });
        expect(await readFile(file, "utf8")).toBe(jwt("sts.amazonaws.com"));
        expect((await stat(file)).mode & 0o777).toBe(0o600);

        const later = jwt("sts.amazonaws.com", { exp: 2_000_000_000 });
        answer = () => ({ status: 200, body: JSON.stringify({ value: later }) });
        vi.advanceTimersByTime(3 * 60_000);
        await vi.waitFor(async () => expect(await readFile(file, "utf8")).toBe(later), 10_000);
        await session.end();
        expect(vi.getTimerCount()).toBe(0);
      } finally {
        vi.useRealTimers();
      }
    });
  });

  it("is not looked for where no state of one's own is named: a job must never work on a throw-away one", async () => {
    vi.stubEnv("PULUMI_BACKEND_URL", "");
    await expect(login.run(["--stack", "staging"], new Session(lineProgress(() => {})))).rejects.toThrow(
      "PULUMI_BACKEND_URL is not set; it is a variable of the job's GitHub environment",
    );
  });
});
