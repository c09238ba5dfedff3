import { beforeEach, describe, expect, it } from "vitest";
import { DriverLease, holderText } from "../../cli/rollout/lease.ts";
import type { KubeAnswer, KubeApi, KubeRequest } from "../../rollout/kube/api.ts";

/** An API server that knows one Lease, by its version, and has a clock of its own. */
class LeaseApi implements KubeApi {
  at = new Date("2026-11-21T12:00:00.000Z");
  lease: { metadata: { resourceVersion?: string }; spec: { holderIdentity: string | null } } | undefined;
  hasNamespace = true;
  #version = 0;

  async ask({ method, path, body }: KubeRequest): Promise<KubeAnswer> {
    const say = (status: number, what: unknown) => ({ status, body: JSON.stringify(what), at: this.at });
    expect(path).toMatch(/^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/local\/leases(\/taskflow-driver)?$/);
    if (!this.hasNamespace) return say(404, {});
    if (method === "GET") return this.lease ? say(200, this.lease) : say(404, {});
    const given = body as NonNullable<LeaseApi["lease"]>;
    if (given.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) return say(409, {});
    this.lease = { ...given, metadata: { ...given.metadata, resourceVersion: `${++this.#version}` } };
    return say(200, this.lease);
  }

  later(seconds: number): void {
    this.at = new Date(this.at.getTime() + seconds * 1000);
  }
}

const place = { namespace: "local", application: "taskflow" };

describe("of two drivers", () => {
  let api: LeaseApi;
  let ada: DriverLease;
  let bob: DriverLease;

  beforeEach(() => {
    api = new LeaseApi();
    ada = new DriverLease(api, place, "ada");
    bob = new DriverLease(api, place, "bob");
  });

  it("the second is told who drives, and when that one counts as dead", async () => {
    expect(await ada.take()).toBeUndefined();
    api.later(10);
    const holder = await bob.take();
    expect(holder && holderText(holder)).toBe(
      "ada drives this stack (heard of 10 s ago; if it is dead, it counts as such in 20 s)",
    );
    expect(api.lease?.spec.holderIdentity).toBe("ada");
  });

  it("the second goes on where the first died, by the cluster's clock, and the first learns of it when it comes back", async () => {
    await ada.take();
    api.later(29);
    expect(await bob.take()).toMatchObject({ who: "ada" });
    api.later(1);
    expect(await bob.take()).toBeUndefined();
    expect(await ada.take()).toMatchObject({ who: "bob" });
  });

  it("a living one keeps the stack as long as it says so", async () => {
    for (let beat = 0; beat < 10; beat++) {
      expect(await ada.take()).toBeUndefined();
      api.later(8);
      expect(await bob.take()).toMatchObject({ who: "ada" });
    }
  });

  it("one gets it where both ask at the same moment", async () => {
    const taken = await Promise.all([ada.take(), bob.take()]);
    expect(taken.filter((holder) => holder === undefined)).toHaveLength(1);
    expect(taken.find((holder) => holder !== undefined)?.who).toBe(api.lease?.spec.holderIdentity);
  });

  it("the first gives it back, and takes nothing back that is not its own", async () => {
    await ada.take();
    await ada.release();
    expect(await bob.take()).toBeUndefined();
    await ada.release();
    expect(await bob.holder()).toMatchObject({ who: "bob" });
  });

  it("neither is held up by a stack that is not there yet", async () => {
    api.hasNamespace = false;
    expect(await ada.take()).toBeUndefined();
    expect(await bob.holder()).toBeUndefined();
  });
});
