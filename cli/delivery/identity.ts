import { parseJson } from "../../rollout/parse-json.ts";
import { Failure } from "../failure.ts";

/** Who a GitHub job is, as GitHub itself signs it: valid for minutes, and only for whom it was made. */
export interface IdentityToken {
  readonly value: string;
  readonly expiresAt: Date;
}

/**
 * Asks GitHub for the job's identity, for one audience.
 * @throws Failure when the job may not ask (`permissions: id-token: write`) or GitHub does not give one. The answer of a server
 * is never part of the message: it could hold the token.
 */
export async function identityFor(audience: string, env: NodeJS.ProcessEnv): Promise<IdentityToken> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: right } = env;
  if (!url || !right)
    throw new Failure(
      "golive delivery: this job has no identity to show (ACTIONS_ID_TOKEN_REQUEST_URL is not set); in a workflow it needs `permissions: id-token: write`, elsewhere your own KUBECONFIG does",
      2,
    );
  const address = new URL(url);
  address.searchParams.set("audience", audience);
  const response = await fetch(address, {
    headers: { Authorization: `Bearer ${right}`, Accept: "application/json" },
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new Failure(`GitHub gave no identity for ${audience}: ${error instanceof Error ? error.message : error}`);
  });
  if (!response.ok) throw new Failure(`GitHub gave no identity for ${audience}: it answered ${response.status}`);
  const answer: unknown = await response.json();
  const value = answer !== null && typeof answer === "object" ? Reflect.get(answer, "value") : undefined;
  if (typeof value !== "string") throw new Failure(`GitHub gave no identity for ${audience}: its answer has none`);
  return { value, expiresAt: expiryOf(value) };
}

/** When a JSON Web Token ends, by its own claim. Its signature is for whoever it is shown to. */
function expiryOf(token: string): Date {
  const [, payload = ""] = token.split(".");
  const claims = readClaims(payload);
  if (typeof claims?.exp === "number") return new Date(claims.exp * 1000);
  throw new Failure("GitHub gave an identity that does not say when it ends");
}

function readClaims(payload: string): { readonly exp?: unknown } | undefined {
  const read = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  return typeof read === "object" && read !== null ? read : undefined;
}

/** What kubectl and every Kubernetes client read from a credential plugin's standard output. */
export const execCredential = ({ value, expiresAt }: IdentityToken): string =>
  JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: value, expirationTimestamp: expiresAt.toISOString() },
  });

/** A cluster that takes GitHub's identities; none of it is a secret. */
export interface TrustingCluster {
  /** Context that the stack's file names. */
  readonly context: string;
  readonly server: string;
  /** PEM, base64. */
  readonly authority: string;
  readonly audience: string;
}

/** A kubeconfig without a secret: its user asks for a new token whenever the last one ends, however long the run is. */
export function kubeconfigOf({ context, server, authority, audience }: TrustingCluster, golive: string): object {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: golive,
    args: ["delivery", "token", "--audience", audience],
    interactiveMode: "Never",
  };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: context, cluster: { server, "certificate-authority-data": authority } }],
    users: [{ name: context, user: { exec } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    "current-context": context,
  };
}

/** A cloud whose own clients take a job's identity from a file: for the state's bucket and its key. */
interface Cloud {
  readonly name: string;
  /** The variable that says who the job is to be there; without it the cloud is not in use. */
  readonly role: string;
  readonly audience: string;
  readonly file: string;
}

const clouds: readonly Cloud[] = [
  { name: "AWS", role: "AWS_ROLE_ARN", audience: "sts.amazonaws.com", file: "AWS_WEB_IDENTITY_TOKEN_FILE" },
  {
    name: "Azure",
    role: "AZURE_CLIENT_ID",
    audience: "api://AzureADTokenExchange",
    file: "AZURE_FEDERATED_TOKEN_FILE",
  },
];

export const cloudsIn = (env: NodeJS.ProcessEnv): readonly Cloud[] =>
  clouds.filter(({ role }) => (env[role] ?? "") !== "");
