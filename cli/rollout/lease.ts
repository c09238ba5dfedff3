import { messageOf } from "../../rollout/kube/answer.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { Failure } from "../failure.ts";

/** Whose driver: the Lease is in the application's namespace. */
export interface LeasePlace {
  readonly namespace: string;
  readonly application: string;
}

/** Who drives a stack now. */
export interface Holder {
  /** `ada on laptop, process 4711`. */
  readonly who: string;
  /** Seconds since it was last heard of, and until it counts as dead, by the cluster's clock. */
  readonly heardSecondsAgo: number;
  readonly deadInSeconds: number;
}

/** Seconds without a word after which a driver counts as dead, and how often a living one says a word. */
export const leaseSeconds = 30;
export const renewSeconds = 8;

interface LeaseObject {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string };
  readonly spec?: { readonly holderIdentity?: string | null; readonly renewTime?: string | null };
}

const nameOf = ({ application }: LeasePlace) => `${application}-driver`;
const collection = ({ namespace }: LeasePlace) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

/**
 * One driver at a time, by a Lease that a dead driver loses by itself. It is a courtesy between drivers, no lock: two that
 * walk at once still only do what the rules and the engine's own lock allow.
 */
export class DriverLease {
  readonly #api: KubeApi;
  readonly #place: LeasePlace;
  readonly #who: string;

  constructor(api: KubeApi, place: LeasePlace, who: string) {
    this.#api = api;
    this.#place = place;
    this.#who = who;
  }

  /** Takes or renews it. A holder that comes back is somebody else, who is alive. */
  async take(): Promise<Holder | undefined> {
    const { lease, at } = await this.#read();
    const holder = lease && holderOf(lease, at);
    if (holder && holder.who !== this.#who && holder.deadInSeconds > 0) return holder;
    const answer = await this.#write(lease, { holderIdentity: this.#who, renewTime: at });
    if (answer === "taken") return undefined;
    // Somebody was faster: who it is, the next look tells.
    const now = await this.#read();
    return (now.lease && holderOf(now.lease, now.at)) ?? { who: "another driver", ...unheard };
  }

  /** Gives it back, if it is ours. */
  async release(): Promise<void> {
    const { lease, at } = await this.#read();
    if (lease?.spec?.holderIdentity === this.#who) await this.#write(lease, { holderIdentity: null, renewTime: at });
  }

  /** Who holds it; undefined: nobody, or somebody dead. */
  async holder(): Promise<Holder | undefined> {
    const { lease, at } = await this.#read();
    const holder = lease && holderOf(lease, at);
    return holder && holder.deadInSeconds > 0 ? holder : undefined;
  }

  async #read(): Promise<{ lease: LeaseObject | undefined; at: Date }> {
    const path = `${collection(this.#place)}/${nameOf(this.#place)}`;
    const { status, body, at } = await this.#api.ask({ method: "GET", path });
    if (status === 404) return { lease: undefined, at };
    if (status !== 200) throw this.#refused("read", status, body);
    return { lease: JSON.parse(body) as LeaseObject, at };
  }

  async #write(
    lease: LeaseObject | undefined,
    { holderIdentity, renewTime }: { holderIdentity: string | null; renewTime: Date },
  ): Promise<"taken" | "lost"> {
    const { namespace } = this.#place;
    const spec = { holderIdentity, leaseDurationSeconds: leaseSeconds, renewTime: microTime(renewTime) };
    const name = nameOf(this.#place);
    // With its version a write is refused (409) when somebody else wrote in between.
    const metadata = { name, namespace, resourceVersion: lease?.metadata?.resourceVersion };
    const answer = await this.#api.ask({
      method: lease ? "PUT" : "POST",
      path: lease ? `${collection(this.#place)}/${name}` : collection(this.#place),
      body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec },
    });
    if (answer.status === 409) return "lost";
    // No namespace yet: nobody can drive what is not there, and the first `up` makes it.
    if (answer.status === 404 && !lease) return "taken";
    if (answer.status >= 300) throw this.#refused("write", answer.status, answer.body);
    return "taken";
  }

  #refused(verb: string, status: number, body: string): Failure {
    const where = `Lease ${nameOf(this.#place)} in namespace ${this.#place.namespace}`;
    return new Failure(`cannot ${verb} ${where}: the API server answered ${status}: ${messageOf(body)}`);
  }
}

const unheard = { heardSecondsAgo: 0, deadInSeconds: leaseSeconds };

function holderOf({ spec }: LeaseObject, now: Date): Holder | undefined {
  const { holderIdentity: who, renewTime } = spec ?? {};
  if (!who || !renewTime) return undefined;
  const heardSecondsAgo = (now.getTime() - Date.parse(renewTime)) / 1000;
  return { who, heardSecondsAgo, deadInSeconds: leaseSeconds - heardSecondsAgo };
}

/** Kubernetes wants microseconds here. */
const microTime = (date: Date) => date.toISOString().replace(/Z$/, "000Z");

export const holderText = ({ who, heardSecondsAgo, deadInSeconds }: Holder): string =>
  `${who} drives this stack (heard of ${Math.max(0, Math.round(heardSecondsAgo))} s ago; if it is dead, it counts as such in ${Math.max(1, Math.ceil(deadInSeconds))} s)`;
