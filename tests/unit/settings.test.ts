import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import { Ladder } from "../../rollout/ladder.ts";
import { SettingsError } from "../../settings/problems.ts";
import { type ColourSettings, type DatabaseSettings, parseSettings, type Settings } from "../../settings.ts";
import {
  type Config,
  complete,
  completeProduction,
  problemsOf,
  rawSettings,
  settingsWith,
  sha256,
  stackConfig,
} from "../support/config.ts";

const images = { backend: "backend:1", frontend: "frontend:1" };

describe("a complete configuration", () => {
  it("becomes settings with the defaults of its environment", () => {
    // settings-monitoring.test.ts, settings-network.test.ts and the tests of logging have these.
    const {
      ladder,
      application,
      monitoring: _monitoring,
      logging: _logging,
      network: _network,
      ...rest
    } = settingsWith();
    expect(application).toBe(taskflow);
    expect(ladder.toString()).toBe("10/15,50/15,100/30");
    expect(rest).toEqual({
      stack: "test",
      environment: "local",
      namespace: "local",
      cluster: { context: "golive-local", kubeconfig: undefined },
      hostname: "taskflow.localhost",
      gateway: { name: "golive", namespace: "gateway", section: "public", internalSection: "internal" },
      colours: {
        blue: {
          release: {
            version: "1.0.0",
            images: {
              backend: "golive.local/taskflow-backend:1.0.0",
              frontend: "golive.local/taskflow-frontend:1.0.0",
            },
            config: {},
          },
          retired: false,
        },
        green: {
          release: {
            version: "2.0.0",
            images: {
              backend: "golive.local/taskflow-backend:2.0.0",
              frontend: "golive.local/taskflow-frontend:2.0.0",
            },
            config: {},
          },
          retired: false,
        },
      },
      candidate: "green",
      stable: "blue",
      candidateTraffic: 0,
      inPlace: undefined,
      override: undefined,
      gate: { mode: "off", prometheus: { namespace: "monitoring", service: "prometheus:9090" } },
      retireAfterHours: 0,
      database: {
        kind: "statefulset",
        image: "docker.io/library/postgres:15.14",
        storage: "1Gi",
        storageClass: undefined,
        forwardPort: 15432,
      },
      backup: {
        storage: "1Gi",
        storageClass: undefined,
        schedule: "30 2 * * *",
        drillSchedule: "0 4 * * 0",
        keep: 5,
        leastPercentOfPrevious: 50,
      },
      rotation: 0,
      contract: undefined,
      programs: {
        image: "docker.io/library/node:24.11.1-bookworm-slim",
        postgresImage: "docker.io/library/postgres:15.14",
      },
      cache: { image: "docker.io/library/redis:7.2.5", storage: "1Gi", storageClass: undefined, memoryMiB: 128 },
      imageMirrors: {},
      secrets: {},
    });
  });

  it("keeps what it says over the defaults", () => {
    const settings = settingsWith(
      {
        cluster: { context: "here", kubeconfig: "/etc/kubeconfig" },
        blue: { version: "1", images, config: { FEATURE: "on" }, retired: true },
        candidateTraffic: 25,
        ladder: "sprint",
        inPlace: { colour: "green", reason: "CVE" },
        retireAfterHours: 48,
        cache: { image: "redis:8", storage: "3Gi", storageClass: "slow", memoryMiB: 512 },
        imageMirrors: { "docker.io/": "mirror.example.com/" },
        sentryDsn: "https://key@sentry.example.com/1",
      },
      { secretKeys: new Set(["sentryDsn"]) },
    );
    const { cluster, colours, candidateTraffic, ladder, inPlace, retireAfterHours, cache } = settings;
    expect(ladder.percents).toEqual([0, 10, 25, 100]);
    expect({ cluster, blue: colours.blue, candidateTraffic, inPlace, retireAfterHours, cache }).toEqual({
      cluster: { context: "here", kubeconfig: "/etc/kubeconfig" },
      blue: { release: { version: "1", images, config: { FEATURE: "on" } }, retired: true },
      candidateTraffic: 25,
      inPlace: { colour: "green", reason: "CVE" },
      retireAfterHours: 48,
      cache: { image: "redis:8", storage: "3Gi", storageClass: "slow", memoryMiB: 512 },
    });
    expect(settings.imageMirrors).toEqual({ "docker.io/": "mirror.example.com/" });
    expect(settings.secrets).toEqual({ sentryDsn: "https://key@sentry.example.com/1" });
  });

  it("takes a ladder of its own", () => {
    const rungs = [
      { percent: 20, soakMinutes: 0 },
      { percent: 100, soakMinutes: 0 },
    ];
    expect(settingsWith({ ladder: rungs, candidateTraffic: 20 }).ladder).toEqual(Ladder.of(rungs));
  });

  it("keeps text that looks like a number as text", () => {
    expect(settingsWith({ hostname: "10" }).hostname).toBe("10");
  });

  it("may lack a release on the candidate while it gets no traffic", () => {
    expect(settingsWith({ green: undefined }).colours.green).toEqual({ release: undefined, retired: false });
  });

  it.each(["local", "staging", "production"] as const)("is what Pulumi.%s.yaml holds", (stack) => {
    const settings = parseSettings(rawSettings(stackConfig(stack), { stack, preview: true }));
    expect(settings).toMatchObject({ stack, environment: stack, namespace: stack, candidateTraffic: 0 });
  });
});

interface Refusal {
  readonly name: string;
  readonly change: Config;
  readonly says: readonly string[];
}

const kubernetesName = "allowed: a Kubernetes name (a-z, 0-9, -)";
const refusals: readonly Refusal[] = [
  {
    name: "an unknown key, with the key that was meant",
    change: { canidate: "green" },
    says: ["golive:canidate  unknown key; did you mean candidate?"],
  },
  {
    name: "an unknown key that is like none, with all that are known",
    change: { replicaCount: 3 },
    says: [
      "golive:replicaCount  unknown key; allowed: application, environment, cluster, hostname, gateway, blue, green, candidate, candidateTraffic, ladder, inPlace, override, gate, retireAfterHours, database, cache, backup, rotation, contract, programs, monitoring, logging, exemptions, network, imageMirrors, sentryDsn, databaseAdminPassword, smtpPassword, onCallUrl",
    ],
  },
  {
    name: "an unknown key inside a release",
    change: { green: { version: "2", images, verison: "3" } },
    says: ["golive:green.verison  unknown key; did you mean version?"],
  },
  {
    name: "an unknown key inside each object",
    change: {
      cluster: { context: "c", kubeConfig: "k" },
      gateway: { name: "g", namespace: "g", section: "s", internalSection: "i", sections: "s" },
      inPlace: { colour: "blue", reason: "r", reasons: "r" },
      database: { kind: "statefulset", sotrage: "1Gi" },
      cache: { memoryMib: 128 },
    },
    says: [
      "golive:cluster.kubeConfig  unknown key; did you mean kubeconfig?",
      "golive:gateway.sections    unknown key; did you mean section?",
      "golive:inPlace.reasons     unknown key; did you mean reason?",
      "golive:database.sotrage    unknown key; did you mean storage?",
      "golive:cache.memoryMib     unknown key; did you mean memoryMiB?",
    ],
  },
  {
    name: "an unknown key inside a rung",
    change: { ladder: [{ percent: 100, soakMinutes: 0, soak: 1 }] },
    says: ["golive:ladder.0.soak  unknown key; did you mean soakMinutes?"],
  },
  {
    name: "a percentage that is no rung",
    change: { candidateTraffic: 30 },
    says: ["golive:candidateTraffic  got 30; allowed on this ladder: 0, 10, 50, 100"],
  },
  {
    name: "a percentage that is no integer",
    change: { candidateTraffic: 12.5 },
    says: ["golive:candidateTraffic  got 12.5; allowed: an integer percent, 0 or a rung of the ladder"],
  },
  {
    name: "a percentage in words",
    change: { candidateTraffic: "ten" },
    says: ['golive:candidateTraffic  got "ten"; allowed: an integer percent, 0 or a rung of the ladder'],
  },
  {
    name: "a candidate without a release that should get traffic",
    change: { green: undefined, candidateTraffic: 10 },
    says: [
      "golive:green  got no release, but it is the candidate with candidateTraffic 10; allowed: a release {version, images}, or candidateTraffic 0",
    ],
  },
  {
    name: "both colours without a release",
    change: { blue: undefined, green: undefined },
    says: ["golive:blue  got no release; one colour at least needs {version, images}"],
  },
  {
    name: "a release without the image of a service",
    change: { green: { version: "2", images: { backend: "backend:2" } } },
    says: ["golive:green.images.frontend  got nothing; an image is required for each service"],
  },
  {
    name: "an image for a service that does not exist",
    change: { green: { version: "2", images: { ...images, fronted: "x:1" } } },
    says: ["golive:green.images.fronted  no such service; did you mean frontend?"],
  },
  {
    name: "an image without tag or digest",
    change: { green: { version: "2", images: { ...images, backend: "registry:5000/backend" } } },
    says: [
      'golive:green.images.backend  got "registry:5000/backend"; a tag or a digest is required: name:tag or name@sha256:…',
    ],
  },
  {
    name: "the tag latest",
    change: { green: { version: "2", images: { ...images, backend: "backend:latest" } } },
    says: [
      'golive:green.images.backend  got "backend:latest"; latest may be another image tomorrow: name a version or a digest',
    ],
  },
  {
    name: "images of the stores without a tag",
    change: { database: { kind: "statefulset", image: "postgres" }, cache: { image: "redis:latest" } },
    says: [
      'golive:database.image  got "postgres"; a tag or a digest is required: name:tag or name@sha256:…',
      'golive:cache.image     got "redis:latest"; latest may be another image tomorrow: name a version or a digest',
    ],
  },
  {
    name: "a version that is no label value",
    change: { green: { version: "v 2", images } },
    says: ['golive:green.version  got "v 2"; allowed: a version such as 1.2.3 (a label value)'],
  },
  {
    name: "a version that YAML read as a number",
    change: { green: { version: 2.1, images } },
    says: ["golive:green.version  got 2.1; allowed: a version such as 1.2.3"],
  },
  {
    name: "numbers and bad names among a release's variables",
    change: { green: { version: "2", images, config: { LIMIT: 5, "A-B": "x" } } },
    says: [
      "golive:green.config.LIMIT  got 5; allowed: text (put numbers in quotes)",
      'golive:green.config.A-B    got "x"; allowed: names of environment variables',
    ],
  },
  {
    name: "a flag that is no boolean",
    change: { green: { version: "2", images, retired: "yes" } },
    says: ['golive:green.retired  got "yes"; allowed: true or false'],
  },
  {
    name: "malformed JSON where an object belongs",
    change: { cluster: "{context: golive-local", green: "{" },
    says: [
      'golive:cluster  got "{context: golive-local"; allowed: an object {context, kubeconfig}',
      'golive:green    got "{"; allowed: an object {version, images, config, retired}',
    ],
  },
  {
    name: "names and hosts that Kubernetes refuses",
    change: {
      hostname: "Task_Flow",
      gateway: { name: "Public", namespace: "g", section: "s", internalSection: "-i" },
    },
    says: [
      'golive:hostname                 got "Task_Flow"; allowed: a DNS name',
      `golive:gateway.name             got "Public"; ${kubernetesName}`,
      `golive:gateway.internalSection  got "-i"; ${kubernetesName}`,
    ],
  },
  {
    name: "an environment, application and colour that do not exist",
    change: { application: "tasklow", environment: "prod", candidate: "red" },
    says: [
      'golive:application  got "tasklow"; allowed: taskflow',
      'golive:environment  got "prod"; allowed: local, staging, production',
      'golive:candidate    got "red"; allowed: blue, green',
    ],
  },
  {
    name: "a missing key",
    change: { hostname: undefined, candidate: undefined },
    says: ["golive:hostname   got nothing; allowed: a DNS name", "golive:candidate  got nothing; allowed: blue, green"],
  },
  {
    name: "a ladder that does not exist",
    change: { ladder: "fast" },
    says: ['golive:ladder  got "fast"; allowed: final, sprint, or a list of {percent, soakMinutes}'],
  },
  {
    name: "a ladder named like a property that every object has",
    change: { ladder: "constructor" },
    says: ['golive:ladder  got "constructor"; allowed: final, sprint, or a list of {percent, soakMinutes}'],
  },
  {
    name: "each thing wrong with a ladder of its own",
    change: {
      candidateTraffic: 0,
      ladder: [
        { percent: 50, soakMinutes: -1 },
        { percent: 10.5, soakMinutes: 0 },
        { percent: 90, soakMinutes: 0 },
      ],
    },
    says: [
      "golive:ladder  got soakMinutes -1 on rung 50; minutes are 0 or more",
      "golive:ladder  got rung 10.5; a rung is an integer from 1 to 100",
      "golive:ladder  got rung 10.5 after 50; rungs rise strictly",
      "golive:ladder  got last rung 90; a ladder ends at 100",
    ],
  },
  {
    name: "a ladder without rungs",
    change: { ladder: [] },
    says: ["golive:ladder  got no rungs; a ladder needs at least one, the last at 100"],
  },
  {
    name: "a size without unit, and too little memory",
    change: { cache: { storage: "10", memoryMiB: 12 } },
    says: [
      'golive:cache.storage    got "10"; allowed: a size such as 10Gi',
      "golive:cache.memoryMiB  got 12; allowed: 64 MiB or more",
    ],
  },
  {
    name: "an exception without a reason, and retirement before it began",
    change: { inPlace: { colour: "green", reason: "" }, retireAfterHours: -1 },
    says: [
      'golive:inPlace.reason    got ""; allowed: why this cannot wait for weight 0',
      "golive:retireAfterHours  got -1; allowed: hours, 0 or more",
    ],
  },
];

describe("a configuration is refused before anything is touched, and says why:", () => {
  it.each(refusals)("$name", ({ change, says }) => {
    expect(problemsOf({ ...complete, ...change })).toEqual(says);
  });

  it.each<Refusal>([
    {
      name: "an image without digest",
      change: { green: { version: "2", images: { backend: "taskflow-backend:latest", frontend: `f${sha256("a")}` } } },
      says: [
        'golive:green.images.backend  got "taskflow-backend:latest"; a digest is required here: name:tag@sha256:…',
      ],
    },
    {
      name: "a first rung above 10 and soaks below the default ladder's shortest",
      change: {
        ladder: [
          { percent: 20, soakMinutes: 14 },
          { percent: 100, soakMinutes: 15 },
        ],
      },
      says: [
        "golive:ladder  got first rung 20; allowed in production: at most 10",
        "golive:ladder  got soakMinutes 14 on rung 20; allowed in production: at least 15",
      ],
    },
  ])("in production, $name", ({ change, says }) => {
    expect(problemsOf({ ...completeProduction, ...change })).toEqual(says);
  });

  it("secrets in clear, without printing them", () => {
    const secrets = { sentryDsn: "https://very-secret@sentry", databaseAdminPassword: "hunter2" };
    expect(problemsOf({ ...complete, ...secrets })).toEqual([
      "golive:sentryDsn              stands in clear; a secret is required here: pulumi config set --secret golive:sentryDsn",
      "golive:databaseAdminPassword  stands in clear; a secret is required here: pulumi config set --secret golive:databaseAdminPassword",
    ]);
    expect(problemsOf({ ...complete, ...secrets }, { secretKeys: new Set(Object.keys(secrets)) })).toEqual([]);
  });

  it("a secret that the project's documents hand out, without printing it", () => {
    const secrets = { databaseAdminPassword: "demo123" };
    expect(problemsOf({ ...complete, ...secrets }, { secretKeys: new Set(Object.keys(secrets)) })).toEqual([
      "golive:databaseAdminPassword  is the documents' demo password, which everybody may read; generate another one",
    ]);
  });

  it("a secret where it would stand in clear", () => {
    expect(problemsOf(complete, { secretKeys: new Set(["blue"]) })).toEqual([
      "golive:blue  holds a secret, but would put it in clear where everybody reads it; secrets may stand in: sentryDsn, databaseAdminPassword, smtpPassword, onCallUrl",
    ]);
  });

  it("another environment than the stack's name says: production's rules would not weigh as production's", () => {
    expect(problemsOf(complete, { stack: "production" })).toEqual([
      'golive:environment  got "local", but the stack is called production; allowed: production',
    ]);
    expect(problemsOf(complete, { stack: "a-stack-of-my-own" })).toEqual([]);
  });

  it("a mirror that brings back what is refused without it", () => {
    const imageMirrors = { "docker.io/library/redis:7.2.5": "mirror.example.com/redis:latest" };
    expect(problemsOf({ ...complete, cache: { image: "docker.io/library/redis:7.2.5" }, imageMirrors })).toEqual([
      'golive:cache.image  its mirror: got "mirror.example.com/redis:latest"; latest may be another image tomorrow: name a version or a digest',
    ]);
  });

  it("an empty secret, without printing anything of it", () => {
    const secretKeys = new Set(["sentryDsn"]);
    expect(problemsOf({ ...complete, sentryDsn: "" }, { secretKeys })).toEqual([
      "golive:sentryDsn  got a value; allowed: a secret",
    ]);
  });

  it("every problem at once, of form and of sense, in one aligned list", () => {
    const config = {
      ...completeProduction,
      candidateTraffic: 30,
      green: {
        version: "2.0.0",
        images: { backend: "taskflow-backend:latest", frontend: `frontend:2${sha256("4")}` },
      },
      canidate: "green",
    };
    expect(() => parseSettings(rawSettings(config, { stack: "production" }))).toThrow(
      new SettingsError("production", [
        { key: "canidate", text: "unknown key; did you mean candidate?" },
        { key: "candidateTraffic", text: "got 30; allowed on this ladder: 0, 10, 50, 100" },
        {
          key: "green.images.backend",
          text: 'got "taskflow-backend:latest"; a digest is required here: name:tag@sha256:…',
        },
      ]),
    );
  });
});

describe("the list of problems", () => {
  it("has a heading with the stack, and columns", () => {
    const error = new SettingsError("production", [
      { key: "candidateTraffic", text: "got 30; allowed on this ladder: 0, 10, 50, 100" },
      { key: "canidate", text: "unknown key; did you mean candidate?" },
    ]);
    expect(error.message).toBe(
      [
        '2 problems in the configuration of stack "production":',
        "  golive:candidateTraffic  got 30; allowed on this ladder: 0, 10, 50, 100",
        "  golive:canidate          unknown key; did you mean candidate?",
      ].join("\n"),
    );
  });

  it("counts one problem as one", () => {
    expect(new SettingsError("local", [{ key: "blue", text: "got no release" }]).message).toBe(
      '1 problem in the configuration of stack "local":\n  golive:blue  got no release',
    );
  });
});

describe("whatever a configuration holds,", () => {
  const keys = [
    ...Object.keys(complete),
    "ladder",
    "inPlace",
    "database",
    "cache",
    "backup",
    "programs",
    "imageMirrors",
    "sentryDsn",
  ];
  const nested = fc.constantFrom(
    ...keys,
    "version",
    "images",
    "backend",
    "kind",
    "percent",
    "__proto__",
    "constructor",
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(
        "statefulset",
        "external",
        "cloudnative-pg",
        "30 2 * * *",
        "blue",
        "final",
        "toString",
        "__proto__",
        "10Gi",
        "",
        "a:1",
      ),
      fc.jsonValue(),
      fc.double(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(nested, tie("value"), { maxKeys: 4 }),
      fc.record({ percent: fc.integer(), soakMinutes: fc.integer() }),
    ),
  }));
  const text = fc.oneof(
    value.map((each) => JSON.stringify(each) ?? "undefined"),
    fc.string(),
  );
  const change = fc.dictionary(fc.oneof(fc.constantFrom(...keys), nested, fc.string()), text, { maxKeys: 5 });
  const raw = fc.record({
    change,
    base: fc.constantFrom<Config>({}, complete, completeProduction),
    preview: fc.boolean(),
  });

  const outcome = ({ change, base, preview }: { change: Record<string, string>; base: Config; preview: boolean }) => {
    const { values } = rawSettings(base);
    try {
      return parseSettings({
        stack: "s",
        values: { ...values, ...change },
        secretKeys: new Set(["sentryDsn"]),
        preview,
      });
    } catch (error) {
      if (error instanceof SettingsError) return error;
      throw error;
    }
  };

  it("it is either parsed or refused with at least one problem, and never crashes", () => {
    fc.assert(
      fc.property(raw, (input) => {
        const result = outcome(input);
        if (result instanceof SettingsError) expect(result.problems.length).toBeGreaterThan(0);
        else expect(result.ladder.allows(result.candidateTraffic)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  it("the same input gives the same answer", () => {
    fc.assert(
      fc.property(raw, (input) => {
        const [first, second] = [outcome(input), outcome(input)];
        if (first instanceof SettingsError && second instanceof SettingsError)
          expect(second.message).toBe(first.message);
        else expect(second).toEqual(first);
      }),
    );
  });
});

describe("settings", () => {
  it("cannot be changed by anything that reads them", () => {
    const thaw = (value: unknown, path: string): readonly string[] => {
      if (typeof value !== "object" || value === null || path.startsWith("settings.application")) return [];
      return [
        ...(Object.isFrozen(value) ? [] : [path]),
        ...Object.entries(value).flatMap(([key, inner]) => thaw(inner, `${path}.${key}`)),
      ];
    };
    const settings = settingsWith({ inPlace: { colour: "blue", reason: "r" }, imageMirrors: { "a:1": "b:1" } });
    expect(thaw(settings, "settings")).toEqual([]);
    expect(Object.isFrozen(settings.application.services)).toBe(true);
  });

  it("have types that leave no guess", () => {
    expectTypeOf<Settings["candidate"]>().toEqualTypeOf<"blue" | "green">();
    expectTypeOf<Settings["environment"]>().toEqualTypeOf<"local" | "staging" | "production">();
    expectTypeOf<Settings["candidateTraffic"]>().toEqualTypeOf<number>();
    expectTypeOf<Settings["ladder"]>().toEqualTypeOf<Ladder>();
    expectTypeOf<Settings["colours"]["blue"]>().toEqualTypeOf<ColourSettings>();
    expectTypeOf<Extract<DatabaseSettings, { kind: "external" }>>().not.toHaveProperty("image");
    expectTypeOf<Settings["secrets"]>().toEqualTypeOf<
      Readonly<Partial<Record<"sentryDsn" | "databaseAdminPassword" | "smtpPassword" | "onCallUrl", string>>>
    >();
    expectTypeOf(parseSettings).returns.toEqualTypeOf<Settings>();
  });
});
