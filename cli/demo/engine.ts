import { Failure } from "../failure.ts";
import { candidateTraffic, type PulumiOptions, type PulumiResult, pulumi } from "../pulumi.ts";
import type { Session } from "../session.ts";
import { ownWorkspace, resetStackFile, changeableStack as stack } from "../workspace.ts";

/** Pulumi on the demo's stack, quiet unless something goes wrong. */
export class DemoEngine {
  readonly #options: PulumiOptions;
  readonly #session: Session;
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
    // Named, so that a PULUMI_BACKEND_URL of the user's does not lead the demo to a real state.
    this.#options = { session, progress: session.progress, capture: true, workspace: ownWorkspace, stack };
  }

  /** Once the demo is stopped, nothing is begun any more: what it made is being taken down. */
  async run(args: readonly string[]): Promise<PulumiResult> {
    if (this.#session.endedBy !== undefined) throw new Failure(`stopped by ${this.#session.endedBy}`);
    return await this.#start(args);
  }

  async succeed(args: readonly string[], next = ""): Promise<PulumiResult> {
    return succeeded(args, await this.run(args), next);
  }

  /** Takes the stack down, also after the demo was stopped. */
  async destroy(): Promise<void> {
    await this.#last;
    const args = ["destroy", "--yes", "--skip-preview"];
    succeeded(args, await this.#start(args), `\n\nIt is left as it is. Remove it: ${removal}`);
  }

  #start(args: readonly string[]): Promise<PulumiResult> {
    const result = pulumi([...args, "--color", "never"], this.#options);
    // Its failure belongs to whoever asked for it; here only its end counts.
    this.#last = result.catch(() => undefined);
    return result;
  }

  setTraffic(percent: number): Promise<PulumiResult> {
    return this.succeed(["config", "set", "golive:candidateTraffic", `${percent}`]);
  }

  /** The candidate traffic of the last `up`; undefined when there was none. */
  traffic(): Promise<number | undefined> {
    return candidateTraffic(this.#options);
  }
}

function succeeded(args: readonly string[], result: PulumiResult, next: string): PulumiResult {
  if (result.exitCode === 0) return result;
  throw new Failure(`pulumi ${args.join(" ")} ended with exit code ${result.exitCode}:\n${reasonsIn(result)}${next}`);
}

/** What a failed run says last: its diagnostics, without the list of what it was doing. */
function reasonsIn({ stdout, stderr }: PulumiResult): string {
  const text = `${stdout}${stderr}`.trim();
  const diagnostics = text.lastIndexOf("\nDiagnostics:");
  return diagnostics < 0
    ? text
    : (text
        .slice(diagnostics + 1)
        .split(/\n(?:Outputs|Resources):/, 1)[0]
        ?.trimEnd() ?? text);
}

/** What takes the demo's stack off a cluster. */
export const removal = `golive pulumi destroy --yes --stack ${stack}`;

const startAnew = `\n\nThe demo cannot begin from where the stack is. Remove it and start again: ${removal}`;

/** Somebody else's cluster is not ours to throw away. */
const leftover = (ours: boolean) =>
  ours
    ? "\n\nIf a run that was cut off left something on the cluster, throw it away and start again: golive local down"
    : `\n\nIf a run that was cut off left something on the cluster, remove it and start again: ${removal}`;

export interface Beginning {
  /** The cluster is this clone's. */
  readonly ours: boolean;
  /** Config values beside the checkout's. */
  readonly settings: Readonly<Record<string, string>>;
  /** Hears when the stack is the demo's. */
  readonly onUp: () => void;
}

/** Brings the stack to what the checkout says, at 0, from wherever an earlier run left it. */
export async function startFromZero(engine: DemoEngine, { ours, settings, onUp }: Beginning): Promise<void> {
  const before = await engine.traffic();
  if (before !== undefined && before > 0) {
    // The way down first, alone: whatever else the checkout changed may only come at 0.
    await engine.setTraffic(0);
    await engine.succeed(["up", "--yes", "--skip-preview"], startAnew);
  }
  await resetStackFile(ownWorkspace, stack);
  await engine.setTraffic(0);
  for (const [key, value] of Object.entries(settings)) await engine.succeed(["config", "set", "--path", key, value]);
  // What a first `up` makes is the demo's, also when it fails half way; a stack that was there is, once it could be taken over.
  if (before === undefined) onUp();
  await engine.succeed(["up", "--yes", "--skip-preview"], before === undefined ? leftover(ours) : startAnew);
  if (before !== undefined) onUp();
}
