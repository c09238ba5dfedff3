import { colours } from "../../applications/application.ts";
import { lineProgress } from "../../cli/progress.ts";
import type { UpOutcome } from "../../cli/rollout/drive.ts";
import { lineOf, type RolloutLine } from "../../cli/rollout/line.ts";
import type { Backups } from "../../cli/rollout/retire.ts";
import { type DriverEngine, DriverSession } from "../../cli/rollout/session.ts";
import type { Look, RolloutStack } from "../../cli/rollout/stack.ts";
import { walkFrom } from "../../cli/rollout/start.ts";
import { Session } from "../../cli/session.ts";
import type { Desired } from "../../rollout/decision.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import type { KubeAnswer, KubeApi, KubeRequest } from "../../rollout/kube/api.ts";
import { runLedger } from "../../rollout/ledger/run-ledger.ts";
import { LedgerApi, place } from "./ledger-api.ts";
import { now } from "./live.ts";
import { lookOf } from "./rollout-look.ts";
import { type Kill, KilledDriver, options, passes, soakSeconds, standing } from "./walk.ts";
import { configOf, happen, type Killed, observe, patched, routeObjectOf, run, sharesOf, type World } from "./world.ts";

/** Parsed once: every call of every life asks for them. In real time, so that a soak has few looks. */
const usualLook = lookOf({}, { monitoring: { speed: 1 } });

/**
 * The driver of `golive rollout` with all that it is made of, before a small world: each thing that it asks of the API server,
 * the engine and git is a call, and it can be killed at any of them.
 */
export class MortalWorld implements KubeApi {
  world: World;
  /** What the stack's file says, and what git says of it. */
  file: Desired;
  git: Desired;
  readonly ledger = new LedgerApi();
  readonly calls: string[] = [];
  kill: Kill | undefined;
  /** An `up` ends with an error after so many of its writes; undefined: it does all of them. */
  fails: Killed | undefined;
  /** Hour of the world in which the newest backup was taken; undefined: there is none. */
  backedUp: number | undefined;
  gate: (live: number) => Verdict = () => passes;
  /** Told what an up could not do and went on without. */
  warn = (text: string): void => {
    throw new Error(text);
  };
  /** Tells whoever lives this life that it is over. */
  #die: (error: KilledDriver) => void = () => {};
  #now = 0;
  #steppedAt = 0;

  constructor(world: World = standing, file: Partial<Desired> = {}) {
    this.world = world;
    this.file = { ...configOf(world), ...file };
    this.git = this.file;
  }

  /** Another driver, that knows nothing of those before it. */
  driver(): DriverSession {
    const line: RolloutLine = {
      ...{ word: "start", stack: "production", json: false, to: undefined, onConflict: "fail", commit: true },
      ...{ patienceSeconds: options.patienceSeconds, reason: "" },
    };
    const { stack, engine } = this;
    const session = new Session(lineProgress(() => {}));
    const driver = new DriverSession({ stack, engine }, "ada", 100, line, session);
    driver.missing = async () => undefined;
    driver.rest = (seconds) => this.#rest(seconds);
    return driver;
  }

  /** Does work with one driver after another, until one comes to its end. */
  async live<T>(work: (driver: DriverSession) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const killed = new Promise<never>((_, reject) => {
          this.#die = reject;
        });
        return await Promise.race([work(this.driver()), killed]);
      } catch (error) {
        if (!(error instanceof KilledDriver)) throw error;
      } finally {
        this.kill = undefined;
      }
    }
  }

  get percent(): number {
    return Math.max(...sharesOf(this.world).map((share) => share[this.file.candidate]));
  }

  /** What users, git and the next driver would find. */
  get left() {
    const { route, pods } = this.world;
    const asked = ({ candidate, candidateTraffic, retired }: Desired) => [candidate, candidateTraffic, retired];
    const told = route && {
      ...route.told,
      // A trip's text holds the number of the write before it.
      acknowledged: route.told.acknowledged !== undefined,
      corrected: undefined,
    };
    return {
      ...{ told, pods, tombstones: route?.tombstones, shares: sharesOf(this.world) },
      ...{ file: asked(this.file), git: asked(this.git), backedUp: this.backedUp },
    };
  }

  ask(request: KubeRequest): Promise<KubeAnswer> {
    const { method, path, body } = request;
    return this.#call(`${method} ${path.split("/").at(-1)}`, async () => {
      if (!path.includes("/httproutes/")) return this.ledger.ask(request);
      if (method === "PATCH") this.world = patched(this.world, body as object);
      return { status: 200, body: JSON.stringify(routeObjectOf(this.world)), at: this.ledger.now };
    });
  }

  readonly stack = {
    name: "production",
    place,
    cluster: { api: this, observe: () => this.#call("observe", async () => observe(this.world)) },
    settings: () => this.#call("settings", async () => usualLook.settings),
    look: () => this.#call("look", async () => this.#look()),
    // What a driver needs of the rest of a cluster is asked of nobody here.
  } as unknown as RolloutStack;

  readonly engine: DriverEngine = {
    write: (values) =>
      this.#call(`write ${Object.values(values).join(" ")}`, async () => {
        const { "golive:candidate": candidate = this.file.candidate, "golive:candidateTraffic": traffic } = values;
        this.file = { ...this.file, candidate: candidate === "blue" ? "blue" : "green" };
        if (traffic !== undefined) this.file = { ...this.file, candidateTraffic: Number(traffic) };
        for (const key of Object.keys(values)) this.#retire(key, true);
      }),
    remove: (key) => this.#call(`remove ${key}`, async () => this.#retire(key, false)),
    commit: () =>
      this.#call("commit", async () => {
        this.git = this.file;
      }),
    up: () => this.#call("up", (killed) => this.#up(killed)),
  };

  readonly backups: Backups = {
    newest: () =>
      this.#call("newest backup", async () => {
        const { backedUp, world } = this;
        return backedUp === undefined ? undefined : new Date(now.getTime() - (world.hour - backedUp) * 3_600_000);
      }),
    take: () =>
      this.#call("backup", async () => {
        this.backedUp = this.world.hour;
      }),
  };

  /** As a key of the file says: `golive:blue.retired`. */
  #retire(key: string, retired: boolean): void {
    const colour = colours.find((each) => key === `golive:${each}.retired`);
    if (colour !== undefined) this.file = { ...this.file, retired: { ...this.file.retired, [colour]: retired } };
  }

  #look(): Look {
    const seconds = this.#now - this.#steppedAt;
    const soakLeftSeconds = this.percent > 0 ? Math.max(0, soakSeconds - seconds) : 0;
    const verdict = this.gate(this.percent);
    const { candidate, candidateTraffic, retired } = this.file;
    const { blue, green } = usualLook.settings.colours;
    const ofFile = { blue: { ...blue, retired: retired.blue }, green: { ...green, retired: retired.green } };
    return {
      ...usualLook,
      assessment: { ...usualLook.assessment, observed: observe(this.world), soakLeftSeconds, verdict },
      settings: { ...usualLook.settings, candidate, candidateTraffic, colours: ofFile },
      desired: this.file,
    };
  }

  async #up(killed: Killed | undefined): Promise<UpOutcome & { readonly locked: boolean }> {
    const [before, writes] = [observe(this.world), this.world.route?.generation];
    const { decision, after } = run(this.world, this.file, killed ?? this.fails);
    this.world = happen(after, { kind: "healAll" });
    if (!decision.allowed) return { succeeded: false, reason: decision.reason, seconds: 1, locked: false };
    if (this.world.route?.generation !== writes) this.#steppedAt = this.#now;
    if (killed === undefined && this.world.route?.generation !== writes)
      await runLedger(this.ledger, {
        ...{ application: place.application, namespace: place.namespace, stack: "production", decision },
        observed: before,
        origin: async () => ({ who: "ada", commit: "1357ab8" }),
        warn: (text) => this.warn(text),
      }).written(undefined);
    if (this.fails) return { succeeded: false, reason: "postgres-exporter: timed out", seconds: 1, locked: false };
    return { succeeded: true, reason: "", seconds: 1, locked: false };
  }

  #rest(seconds: number): Promise<void> {
    return this.#call("rest", async () => {
      this.#now += seconds;
    });
  }

  async #call<T>(name: string, work: (killed?: Killed) => Promise<T>): Promise<T> {
    const call = this.calls.push(name) - 1;
    const when = this.kill?.call === call ? this.kill.when : undefined;
    if (when === undefined) return work();
    if (when !== "before") await work(when === "after" ? undefined : when);
    this.#die(new KilledDriver(`${name} ${JSON.stringify(when)}`));
    // Nobody is there any more whom an answer could reach.
    return new Promise<never>(() => {});
  }
}

/** Green has 100, and the day is over: what a promotion and a retirement begin with. */
export async function atTheTop(): Promise<MortalWorld> {
  const it = new MortalWorld();
  await it.live((driver) => walkFrom(driver, lineOf("resume", []), "resume"));
  it.world = happen(it.world, { kind: "wait" });
  it.calls.splice(0);
  return it;
}
