import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Colour, colours, isHttp } from "../../applications/application.ts";
import { restrictedContainer, restrictedPod } from "../../components/pod/security.ts";
import { selectorLabels, workloadName } from "../../components/release/names.ts";
import { gateway } from "../../local/gateway.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";

/** Answers with its colour; of every hundred requests so many fail as `/fail?percent=` said last. */
const server = `
let percent = 0, asked = 0;
require("node:http").createServer((request, response) => {
  const url = new URL(request.url, "http://here");
  if (url.pathname === "/fail") percent = Number(url.searchParams.get("percent"));
  const fails = url.pathname.startsWith("/api") && (asked++ * 37) % 100 < percent;
  response.writeHead(fails ? 500 : 200, { "x-colour": process.env.COLOUR }).end(String(percent));
}).listen(3000);
process.on("SIGTERM", () => process.exit());
`;

/** A Deployment and a Service for each service of both colours of an application, small and faulty on demand. */
export function faultyPods(settings: Settings): readonly object[] {
  const { application, namespace, programs, imageMirrors } = settings;
  return application.services.filter(isHttp).flatMap((service) =>
    colours.flatMap((colour) => {
      const labels = selectorLabels(application.name, service.name, colour);
      const metadata = { name: workloadName(application.name, service.name, colour), namespace, labels };
      const container = {
        name: service.name,
        image: mirrored(programs.image, imageMirrors),
        ...restrictedContainer(),
        command: ["node", "-e", server],
        env: [{ name: "COLOUR", value: colour }],
        ports: [{ name: "http", containerPort: 3000 }],
        readinessProbe: { httpGet: { path: "/ready", port: "http" }, periodSeconds: 1 },
        resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "96Mi" } },
      };
      const pod = { ...restrictedPod(1000), containers: [container], terminationGracePeriodSeconds: 1 };
      return [
        {
          ...{ apiVersion: "apps/v1", kind: "Deployment", metadata },
          spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
        },
        {
          ...{ apiVersion: "v1", kind: "Service", metadata },
          spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
        },
      ];
    }),
  );
}

export interface Answered {
  readonly colour: Colour | undefined;
  /** 0: none came. */
  readonly status: number;
}

/** Asks the public listener for a host so many times a second until the signal, and at most 60 s; every answer is kept. */
async function askSteadily(host: string, perSecond: number, signal: AbortSignal, answers: Answered[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const every = 50;
  const deadline = performance.now() + 60_000;
  const pending: Promise<void>[] = [];
  for (let due = performance.now(); !signal.aborted && due < deadline; due += every) {
    for (let count = 0; count < (perSecond * every) / 1000; count++)
      pending.push(askOnce(host, agent).then((answer) => void answers.push(answer)));
    await sleep(Math.max(0, due + every - performance.now()));
  }
  await Promise.all(pending);
  agent.destroy();
}

/** `askSteadily` for as long as `during` takes: its answers. */
export async function underLoad(
  host: string,
  perSecond: number,
  during: (answers: readonly Answered[]) => Promise<void>,
): Promise<readonly Answered[]> {
  const stopped = new AbortController();
  const answers: Answered[] = [];
  const asking = askSteadily(host, perSecond, stopped.signal, answers);
  try {
    await during(answers);
  } finally {
    stopped.abort();
    await asking;
  }
  return answers;
}

const askOnce = (host: string, agent: Agent) =>
  new Promise<Answered>((resolve) => {
    const options = { host: gateway.host, port: gateway.publicPort, path: "/api/tasks", headers: { host }, agent };
    request({ ...options, timeout: 5000 }, (response) => {
      response.resume();
      const colour = colours.find((each) => each === response.headers["x-colour"]);
      response.on("end", () => resolve({ colour, status: response.statusCode ?? 0 }));
    })
      .on("error", () => resolve({ colour: undefined, status: 0 }))
      .end();
  });
