import { describe, expect, it } from "vitest";
import { complete, problemsOf, settingsWith } from "../support/config.ts";

const problems = (network: object) => problemsOf({ ...complete, network });

describe("golive:network", () => {
  it("works without: the API server, machines and hosts of the configuration may be anywhere", () => {
    const anywhere = ["0.0.0.0/0", "::/0"];
    expect(settingsWith().network).toEqual({
      apiServer: { addresses: anywhere, ports: [443, 6443] },
      nodes: anywhere,
      outside: anywhere,
      internet: undefined,
      operators: { cloudNativePg: "cnpg-system", elastic: "elastic-system" },
    });
  });

  it("takes ranges of both kinds of addresses, ports and namespaces", () => {
    const network = {
      apiServer: { addresses: ["10.0.0.1/32", "fd00::1/128"], ports: [16443] },
      nodes: ["10.1.0.0/16"],
      outside: ["0.0.0.0/0"],
      internet: ["203.0.113.0/24"],
      operators: { cloudNativePg: "postgres-operator", elastic: "eck" },
    };
    expect(settingsWith({ network }).network).toEqual(network);
  });

  it.each(["10.0.0.1", "10.0.0.0/33", "fd00::/129", "10.0.0.0/8/8", "10.0.0.0/x", "example.com/32", ""])(
    "refuses %j, which is no address range",
    (range) => {
      expect(problems({ nodes: [range] })).toEqual([
        `golive:network.nodes.0  got ${JSON.stringify(range)}; allowed: an address range such as 10.0.0.0/16`,
      ]);
    },
  );

  it("refuses an empty list: nobody could be reached", () => {
    expect(problems({ outside: [] })).toEqual(["golive:network.outside  got []; allowed: one range at least"]);
    expect(problems({ apiServer: { ports: [] } })).toEqual([
      "golive:network.apiServer.ports  got []; allowed: one port at least",
    ]);
  });

  it("refuses an unknown key with the one that was meant", () => {
    expect(problems({ node: ["10.0.0.0/8"] })).toEqual(["golive:network.node  unknown key; did you mean nodes?"]);
    expect(problems({ operators: { elastics: "eck" } })).toEqual([
      "golive:network.operators.elastics  unknown key; did you mean elastic?",
    ]);
  });
});
