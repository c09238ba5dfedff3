import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import { places } from "../../local/places.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { settingsOf } from "../rollout/stack.ts";
import type { Session } from "../session.ts";
import { cloudsIn, execCredential, identityFor, kubeconfigOf } from "./identity.ts";
import { jobOf } from "./job.ts";
import { required, stackOf } from "./line.ts";

export const login: Command = {
  help: `
golive delivery login: makes a job able to work on a stack, with nothing but its own identity.

Usage: golive delivery login --stack STACK

It writes a kubeconfig with the context that the stack's file names, whose user is the job itself, and, where AWS_ROLE_ARN or
AZURE_CLIENT_ID is set, the file from which that cloud's clients take the job's identity; later steps find both in their environment.
The kubeconfig asks for a token when it needs one. Which rights it gives is the cluster's to say: by environment and repository.

It reads, none of it secret:
  PULUMI_BACKEND_URL        where the state is
  GOLIVE_CLUSTER_SERVER     address of the API server
  GOLIVE_CLUSTER_AUTHORITY  its certificate authority, PEM in base64
  GOLIVE_CLUSTER_AUDIENCE   the audience that its authentication configuration expects
  ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN, which GitHub sets for a job with the permission id-token: write
`,
  async run(args) {
    const stack = stackOf("login", args);
    // Without it everything after would work on a throw-away state, as on a person's machine.
    variable("PULUMI_BACKEND_URL");
    const job = jobOf();
    const kubeconfig = join(await ownDirectory(process.env), "kubeconfig");
    const trusting = {
      context: (await settingsOf(stack)).cluster.context,
      server: variable("GOLIVE_CLUSTER_SERVER"),
      authority: variable("GOLIVE_CLUSTER_AUTHORITY"),
      audience: variable("GOLIVE_CLUSTER_AUDIENCE"),
    };
    // Asked for here, too: a job without the right is told at its first step, not in the middle of a run.
    await identityFor(trusting.audience, process.env);
    await writeOwn(kubeconfig, stringify(kubeconfigOf(trusting, join(places.root, "golive"))));
    await job.environment("KUBECONFIG", kubeconfig);
    for (const [name, file] of Object.entries(await writeCloudIdentities(process.env)))
      await job.environment(name, file);
    process.stdout.write(`kubeconfig for context ${trusting.context}: ${kubeconfig}\n`);
    return 0;
  },
};

export const token: Command = {
  help: `
golive delivery token: the job's identity for one audience, as a Kubernetes client asks a credential plugin for it.

Usage: golive delivery token --audience AUDIENCE

The kubeconfig that "golive delivery login" writes calls it.
`,
  async run(args) {
    const { values, positionals } = parseOptions("delivery token", args, { audience: { type: "string" } });
    refusePositionals("delivery token", positionals);
    const audience = required("token", "audience", values.audience);
    process.stdout.write(`${execCredential(await identityFor(audience, process.env))}\n`);
    return 0;
  },
};

/** Seconds after which a cloud's file is written anew: GitHub's identities live for five minutes. */
const renewSeconds = 120;

/** Keeps the clouds' files fresh while a command runs: a client opens its file again when its session ends, after an hour or so. */
export async function keepIdentity(session: Session, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const files = await writeCloudIdentities(env);
  if (Object.keys(files).length === 0) return {};
  const renewing = setInterval(() => {
    writeCloudIdentities(env).catch((error: unknown) =>
      session.progress.note(
        `the job's identity could not be renewed: ${error instanceof Error ? error.message : error}`,
      ),
    );
  }, renewSeconds * 1000);
  session.atEnd("stop renewing the job's identity", async () => clearInterval(renewing));
  return files;
}

/** Writes the job's identity for each cloud in use. Gives the variables that name the files. */
async function writeCloudIdentities(env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string>>> {
  const written: Record<string, string> = {};
  for (const { name, audience, file } of cloudsIn(env)) {
    const path = join(await ownDirectory(env), `identity-${name.toLowerCase()}`);
    await writeOwn(path, (await identityFor(audience, env)).value);
    written[file] = path;
  }
  return written;
}

/** GitHub empties its temporary directory at the end of every job. */
async function ownDirectory(env: NodeJS.ProcessEnv): Promise<string> {
  const directory = join(env.RUNNER_TEMP ?? tmpdir(), "golive-identity");
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  return directory;
}

async function writeOwn(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function variable(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== "") return value;
  throw new Failure(
    `golive delivery login: ${name} is not set; it is a variable of the job's GitHub environment, see docs/delivery.md`,
    2,
  );
}
