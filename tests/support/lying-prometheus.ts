import { restrictedContainer, restrictedPod } from "../../components/pod/security.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { until } from "./until.ts";

/** What a Prometheus can do wrong while it answers. */
export type Lie = "nan" | "empty";

const name = "lying-prometheus";
const port = 9090;

const program = `
let lie = "empty";
const vector = (result) => JSON.stringify({ status: "success", data: { resultType: "vector", result } });
require("node:http").createServer((request, response) => {
  const url = new URL(request.url, "http://here");
  response.setHeader("content-type", "application/json");
  if (url.pathname === "/lie") return response.end(lie = url.searchParams.get("lie"));
  const at = Number(url.searchParams.get("time"));
  if (lie === "nan") return response.end(vector([{ metric: {}, value: [at, "NaN"] }]));
  response.end(vector([]));
}).listen(${port});
process.on("SIGTERM", () => process.exit());
`;

/** A pod that stands in for the stack's Prometheus, behind the very Service that gate and guard ask. */
export class LyingPrometheus {
  readonly #namespace: string;
  readonly #selector: object;

  private constructor(namespace: string, selector: object) {
    this.#namespace = namespace;
    this.#selector = selector;
  }

  /** Puts it in the place of the real one. */
  static async start({ monitoring, programs, imageMirrors }: Settings): Promise<LyingPrometheus> {
    const { namespace } = monitoring;
    const within = ["--namespace", namespace];
    const { selector } = JSON.parse(
      await kubectl([...within, "get", "service", "prometheus", "--output=jsonpath={.spec}"]),
    ) as { readonly selector: Readonly<Record<string, string>> };
    const container = {
      ...{ name, image: mirrored(programs.image, imageMirrors), ...restrictedContainer() },
      command: ["node", "-e", program],
      ports: [{ name: "web", containerPort: port }],
      // It answers sixty questions at once, on a machine that may be busy.
      resources: { requests: { cpu: "250m", memory: "64Mi" }, limits: { memory: "128Mi" } },
    };
    const pod = {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels: { component: name } } },
      spec: { ...restrictedPod(1000), containers: [container], terminationGracePeriodSeconds: 1 },
    };
    await kubectl(["apply", "--server-side", "--filename=-"], { input: JSON.stringify(pod) });
    await kubectl([...within, "wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s"]);
    const lying = new LyingPrometheus(namespace, selector);
    await lying.#select({ component: name });
    await until("the Service leads to it", () => lying.#isAsked());
    return lying;
  }

  /** What it answers from now on. */
  async tell(lie: Lie): Promise<void> {
    await kubectl(["get", "--raw", `${this.#service}/lie?lie=${lie}`]);
  }

  get #service(): string {
    return `/api/v1/namespaces/${this.#namespace}/services/prometheus:${port}/proxy`;
  }

  /** The real one knows nothing of lies. */
  #isAsked(): Promise<boolean> {
    return this.tell("empty").then(
      () => true,
      () => false,
    );
  }

  /** Gives the real one its Service back. */
  async stop(): Promise<void> {
    await this.#select(this.#selector);
    await kubectl(["--namespace", this.#namespace, "delete", "pod", name, "--ignore-not-found"]);
  }

  async #select(selector: object): Promise<void> {
    const patch = JSON.stringify([{ op: "replace", path: "/spec/selector", value: selector }]);
    await kubectl(["--namespace", this.#namespace, "patch", "service", "prometheus", "--type=json", "--patch", patch]);
  }
}
