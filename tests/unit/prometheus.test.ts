import { describe, expect, it } from "vitest";
import { askPrometheus } from "../../rollout/gate/prometheus.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";

const at = new Date("2026-11-21T12:00:00Z");

/** Asks an API server that answers so. */
async function asking(body: unknown, status = 200): Promise<{ value: number; path: string }> {
  let path = "";
  const api: KubeApi = {
    ask: async (question) => {
      path = question.path;
      return { status, body: typeof body === "string" ? body : JSON.stringify(body), at };
    },
  };
  const ask = askPrometheus(api, { namespace: "monitoring", service: "prometheus:9090" });
  return { value: await ask('sum by () (up{job="a b"})', 1_795_262_400), path };
}

const vector = (...values: readonly string[]) => ({
  status: "success",
  data: { resultType: "vector", result: values.map((value) => ({ metric: {}, value: [1_795_262_400, value] })) },
});

describe("a number from Prometheus", () => {
  it("is asked for through the API server, at the moment that is given", async () => {
    const { value, path } = await asking(vector("12.5"));
    expect(value).toBe(12.5);
    expect(path).toBe(
      "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?query=sum%20by%20()%20(up%7Bjob%3D%22a%20b%22%7D)&time=1795262400",
    );
  });

  it.each([
    ["no series", vector(), Number.NaN],
    ["NaN", vector("NaN"), Number.NaN],
    ["more than there is a number for", vector("+Inf"), Number.POSITIVE_INFINITY],
    ["less than that", vector("-Inf"), Number.NEGATIVE_INFINITY],
  ])("is never made up: %s", async (_, answer, value) => {
    expect((await asking(answer)).value).toBe(value);
  });

  it.each([
    [
      "nobody is there",
      { kind: "Status", status: "Failure", message: 'no endpoints available for service "prometheus:9090"' },
      503,
      'Prometheus (prometheus:9090 in monitoring) answered 503: no endpoints available for service "prometheus:9090"',
    ],
    [
      "it refuses the expression",
      { status: "error", errorType: "bad_data", error: "parse error" },
      400,
      "Prometheus (prometheus:9090 in monitoring) answered 400: parse error",
    ],
    ["something else answers", "<html>hello</html>", 200, "answered 200: <html>hello</html>"],
    ["it gives many series", vector("1", "2"), 200, "gives 2 series; one is needed"],
    [
      "it gives a matrix",
      { status: "success", data: { resultType: "matrix", result: [] } },
      200,
      "gives matrix; a vector is needed",
    ],
  ])("is an error that says why: %s", async (_, answer, status, message) => {
    await expect(asking(answer, status)).rejects.toThrow(message);
  });
});
