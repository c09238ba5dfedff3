import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gateway } from "../../local/gateway.ts";
import { type Load, startLoad, type WholeSample } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { borrowCluster } from "../borrowed-cluster.ts";
import type { Session } from "../session.ts";
import { ownWorkspace, changeableStack as stack, stackText } from "../workspace.ts";
import { waitForAnswers } from "./answers.ts";
import { DemoEngine, removal, startFromZero } from "./engine.ts";

export const candidate = "green";
export const requestsPerSecond = 250;
/** Bounds a load however long the steps take; a plain demo puts about 90 seconds of it. */
const loadSeconds = 600;

/** What a demo prints, and what is not as it must be. */
export interface DemoResult {
  readonly text: string;
  readonly problems: readonly string[];
}

/** A demo that has begun: the stack is up, all traffic on blue, and both colours answer. */
export interface Stage {
  readonly engine: DemoEngine;
  /** Unbroken load on the public name; it ends by itself after ten minutes. */
  startLoad(): Promise<{ readonly load: Load; stop(): Promise<WholeSample> }>;
  /** Writes the report, and takes down what the demo started, but for `keep`. Gives what is to be printed after it. */
  end(report: object): Promise<string>;
}

/** Brings stack local up at 0 on a cluster that is there or is started; `settings` are added to its config. */
export async function begin(
  session: Session,
  keep: boolean,
  settings: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const { progress } = session;
  const hostname = await stackText(ownWorkspace, stack, "golive:hostname");
  const { started, ours } = await borrowCluster(session, keep);
  const engine = new DemoEngine(session);
  const destroyTitle = `destroy stack ${stack}`;
  const destroy = () => progress.stage(destroyTitle, () => engine.destroy());
  // A cluster that this demo started takes the stack with it, however the demo ends; from any other the demo takes it off.
  const onUp = () => void (keep || started || session.atEnd(destroyTitle, destroy));
  await progress.stage(`bring stack ${stack} up, all traffic on blue`, () =>
    startFromZero(engine, { ours, settings, onUp }),
  );
  await progress.stage("both colours answer", () => waitForAnswers(hostname));
  return {
    engine,
    async startLoad() {
      const load = await startLoad({
        origin: { host: gateway.host, port: gateway.publicPort },
        hostname,
        requestsPerSecond,
        seconds: loadSeconds,
      });
      const forget = session.atEnd("stop the load", async () => void (await load.stop()));
      progress.note(`load: ${requestsPerSecond} requests a second on ${hostname}, from now until after the last step`);
      const stop = async () => {
        const all = await load.stop();
        forget();
        return all;
      };
      return { load, stop };
    },
    async end(report) {
      await writeFile(join(places.golive, "demo.json"), `${JSON.stringify(report, undefined, 2)}\n`);
      if (started && !keep) await destroy();
      // What could not be put back is told at the end of the command.
      if (!keep) await session.end();
      return keep ? `\n\n${howToReach(hostname, ours)}` : "";
    },
  };
}

function howToReach(hostname: string, ours: boolean): string {
  const { host, publicPort, internalPort } = gateway;
  return `The cluster is left running, with blue at 100 % and green at 0 %:

  curl -H 'Host: ${hostname}' http://${host}:${publicPort}/api/version            what users reach
  curl -H 'Host: green.${hostname}' http://${host}:${internalPort}/api/version    green alone, whatever its share
  KUBECONFIG=${places.kubeconfig} ${join(places.bin, "kubectl")} -n ${stack} get pods

Take a step yourself:

  ./golive pulumi config set --stack ${stack} golive:candidateTraffic 10
  ./golive pulumi up --stack ${stack}

${ours ? "Stop it: ./golive local down" : `Remove it: ./${removal}`}`;
}
