import { type Environment, otherColour } from "../../applications/application.ts";
import { imageProblem } from "../../settings/images.ts";
import { openTrip } from "../observed.ts";
import { cannotServe, notSettled } from "../pods.ts";
import { tripSentence } from "../told.ts";
import type { DatabaseEvidence, Evidence, PreflightSubject, Reading } from "./evidence.ts";

/** What a check makes of the evidence. `unmeasured`: nobody but a person can say. */
export interface Found {
  readonly state: "ok" | "missing" | "not applicable" | "unmeasured";
  readonly evidence: string;
  readonly next?: string | undefined;
}

/** One item of the checklist. */
export interface Check {
  readonly id: string;
  /** Rows of the source documents, or the issue. */
  readonly requirements: readonly string[];
  readonly says: string;
  find(subject: PreflightSubject, evidence: Evidence): Found;
}

const ok = (evidence: string): Found => ({ state: "ok", evidence });
const missing = (evidence: string, next: string): Found => ({ state: "missing", evidence, next });
const unmeasured = (evidence: string, next?: string): Found => ({ state: "unmeasured", evidence, next });
const notApplicable = (evidence: string): Found => ({ state: "not applicable", evidence });

/** Goes on with what was read; what could not be read is not made up. */
const when = <T>(reading: Reading<T>, find: (value: T) => Found): Found =>
  "value" in reading ? find(reading.value) : unmeasured(`cannot be measured: ${reading.problem}`, "put that right");

const all = <T>(
  reading: Reading<T>,
  problems: (value: T) => readonly string[],
  good: (value: T) => string,
  next: string,
) =>
  when(reading, (value) => {
    const found = problems(value);
    return found.length === 0 ? ok(good(value)) : missing(found.join("; "), next);
  });

/** What only a person knows, where people are at stake. */
const person = (
  id: string,
  requirements: readonly string[],
  says: string,
  where: readonly Environment[] = ["staging", "production"],
): Check => ({
  id,
  requirements,
  says,
  find: ({ environment }) =>
    where.includes(environment)
      ? unmeasured("only a person can say")
      : notApplicable(`not asked of environment ${environment}`),
});

/** A check of the database, where the application has one. */
const ofDatabase = (check: Omit<Check, "find">, find: Check["find"]): Check => ({
  ...check,
  find: (subject, evidence) =>
    subject.database === undefined ? notApplicable("the application has no PostgreSQL") : find(subject, evidence),
});

const hours = (seconds: number) => `${Math.round(seconds / 360) / 10} h`;

function fresh(what: string, at: Date | undefined, now: Date, oldest: number, next: string): Found {
  if (at === undefined) return missing(`there never was a good ${what}`, next);
  const age = (now.getTime() - at.getTime()) / 1000;
  const text = `the newest good ${what} is ${hours(Math.max(age, 0))} old (${at.toISOString()}); allowed: ${hours(oldest)}`;
  return age <= oldest ? ok(text) : missing(text, next);
}

const command = (text: string, { stack }: PreflightSubject) => `golive ${text} --stack ${stack}`;

/** What does not hold of a `golive database verify`. */
export const verifyGaps = (verified: DatabaseEvidence["verified"]): readonly string[] => [
  ...(verified.length === 0 ? ["nothing was verified"] : []),
  ...verified.filter((row) => !row.ok).map(({ check, found }) => `${check}: ${found.replaceAll(/\s+/g, " ")}`),
];

/** How many there are, and the first of them. */
const someOf = (what: string, names: readonly string[]) =>
  names.length === 0
    ? []
    : [`${what}: ${names.length} (${names.slice(0, 3).join("; ")}${names.length > 3 ? "; …" : ""})`];

/** The checklist, in the order in which one would go through it. */
export const checks: readonly Check[] = [
  {
    id: "tests",
    requirements: ["S0-62", "S1-72", "S2-42", "S2-48"],
    says: "All tests passed on this commit",
    find({ environment }, { tests, commit }) {
      if (environment === "local") return notApplicable("not asked of environment local");
      const next = "golive test";
      return when(commit, (now) =>
        when(tests, (run) => {
          if (run === undefined) return unmeasured("no run of the tests is kept here", next);
          const text = `${run.passed} passed, ${run.failed} failed, ${run.skipped} skipped on ${run.commit}`;
          // A run on other files says nothing of these: somebody may know of another one, of a pipeline say.
          if (run.commit !== now || now.endsWith("dirty")) return unmeasured(`${text}; this is ${now}`, next);
          return run.failed + run.skipped === 0 && run.passed > 0 ? ok(text) : missing(text, next);
        }),
      );
    },
  },
  {
    id: "git",
    requirements: ["issue 6"],
    says: "Git says what will go live: nothing is uncommitted",
    find({ environment }, { commit }) {
      if (environment === "local") return notApplicable("not asked of environment local");
      return when(commit, (now) => {
        if (now.startsWith("unknown")) return unmeasured(`cannot be measured: the commit is ${now}`);
        return now.endsWith("dirty") ? missing(`commit ${now}`, "git commit, or git stash") : ok(`commit ${now}`);
      });
    },
  },
  person(
    "security-audit",
    ["S0-62", "S1-72", "S2-44", "S2-46"],
    "The security audit is done, and nothing critical is open",
  ),
  person("benchmarks", ["S0-62", "S1-72", "S2-47", "S4-24"], "The benchmarks are met (golive bench)"),
  person("staging", ["S1-72", "S2-45", "S2-50"], "This release went through staging", ["production"]),
  {
    id: "images",
    requirements: ["S2-42", "S2-49", "S2-50"],
    says: "The candidate's images are built and named by digest",
    find({ environment, images }) {
      if (environment !== "production") return notApplicable(`not asked of environment ${environment}`);
      const problems = Object.values(images).flatMap((image) => imageProblem(image, true) ?? []);
      if (Object.keys(images).length === 0) return missing("the candidate has no release", "give it one");
      if (problems.length > 0) return missing(problems.join("; "), "name each image by its digest");
      return ok(`${Object.keys(images).length} images, each with its digest`);
    },
  },
  {
    id: "policies",
    requirements: ["issue 6"],
    says: "Every mandatory policy holds for what this stack declares",
    find: (subject, { policies }) =>
      all(
        policies,
        ({ violations, undecidable }) => [...someOf("objections", violations), ...someOf("undecidable", undecidable)],
        () => "no mandatory policy objects",
        command("policy check", subject),
      ),
  },
  ofDatabase(
    { id: "migrations", requirements: ["S4-16"], says: "Every migration that this release needs is applied" },
    (subject, { database }) =>
      all(
        database,
        ({ pending, problems }) => {
          // The cluster knows the files of the last run, this checkout those of the next one.
          const next = subject.desired.migrations.pending.map(({ name }) => name);
          return [...problems, ...[...new Set([...pending, ...next])].map((name) => `${name} is pending`)];
        },
        () => "none is pending, and none was edited",
        command("pulumi up", subject),
      ),
  ),
  ofDatabase(
    {
      id: "backup",
      requirements: ["S0-62", "S1-72", "S2-42", "S2-50", "S4-16", "S4-23"],
      says: "There is a fresh backup, and it was verified when it was taken",
    },
    (subject, { database, now }) =>
      when(now, (at) =>
        when(database, ({ backupAt }) =>
          fresh("backup", backupAt, at, subject.oldest.backup, command("database backup", subject)),
        ),
      ),
  ),
  ofDatabase(
    {
      id: "restore-drill",
      requirements: ["S1-72", "S2-49", "S4-23"],
      says: "A backup was restored not long ago, and every row was in it",
    },
    (subject, { database, now }) =>
      when(now, (at) =>
        when(database, ({ drillAt }) =>
          fresh("restore drill", drillAt, at, subject.oldest.drill, command("database drill", subject)),
        ),
      ),
  ),
  ofDatabase(
    {
      id: "database-verify",
      requirements: ["S0-63", "S4-17", "S4-19"],
      says: "Row level security and the indexes hold on the live database",
    },
    (subject, { database }) =>
      all(
        database,
        ({ verified, invalidIndexes }) => [
          ...verifyGaps(verified),
          ...invalidIndexes.map((name) => `index ${name} is invalid`),
        ],
        ({ verified }) => `all ${verified.length} checks hold`,
        command("database verify", subject),
      ),
  ),
  ofDatabase(
    { id: "rotation", requirements: ["S4-21"], says: "Every pod uses the database password of the newest rotation" },
    (subject, { live }) =>
      all(
        live,
        ({ rotations }) => {
          if (rotations.length === 0) return ["no pod has a password yet"];
          const old = rotations.filter((rotation) => rotation !== subject.rotation);
          return old.length === 0
            ? []
            : [
                `${old.length} of ${rotations.length} Deployments have rotation ${[...new Set(old)].join(", ")}, not ${subject.rotation}`,
              ];
        },
        () => `generated passwords, rotation ${subject.rotation}`,
        command("pulumi up", subject),
      ),
  ),
  ofDatabase(
    {
      id: "tls",
      requirements: ["S4-22"],
      says: "The way to the database is encrypted, and the server proves its name",
    },
    ({ database }) => {
      const { kind, tls } = database ?? { kind: "", tls: "off" };
      if (tls === "verify-full") return ok(`${kind}, sslmode verify-full`);
      if (kind === "external") return missing(`${kind}, TLS ${tls}`, "set golive:database.ca");
      return notApplicable(`${kind}: a server of the namespace's own, which only its pods reach`);
    },
  ),
  person("connections", ["S4-18", "S4-20"], "Connections are pooled, and the audit log is written"),
  {
    id: "monitoring",
    requirements: ["S0-62", "S1-72", "S2-42", "S2-49", "S3-43"],
    says: "Monitoring is up: every target answers, the watchdog fires, no critical alert does",
    find: (_, { monitoring }) =>
      when(monitoring, (found) => {
        if (found === undefined) return unmeasured("no Prometheus measures this stack");
        const { targets, down, critical, watchdog } = found;
        const problems = [
          ...(targets === 0 ? ["Prometheus has no target"] : []),
          ...(down.length > 0 ? [`${down.length} of ${targets} targets are down: ${down.join(", ")}`] : []),
          ...(watchdog ? [] : ["the alert Watchdog, which always fires, does not"]),
          ...critical.map((alert) => `critical: ${alert}`),
        ];
        if (problems.length > 0) return missing(problems.join("; "), "docs/runbooks: each alert has its page");
        return ok(`${targets} targets up, the watchdog fires, no critical alert`);
      }),
  },
  {
    id: "runbooks",
    requirements: ["S0-62", "S1-72"],
    says: "Every alert has its runbook",
    find: (_, { documents }) =>
      all(
        documents,
        ({ alerts, withoutRunbook }) =>
          alerts === 0 ? ["there is no alert"] : withoutRunbook.map((name) => `${name} has none`),
        ({ alerts }) => `${alerts} alerts, each with its page below docs/runbooks`,
        "write it below docs/runbooks",
      ),
  },
  {
    id: "objectives",
    requirements: ["S1-72", "issue 6"],
    says: "Every objective stands on a dashboard",
    find: (_, { documents }) =>
      all(
        documents,
        ({ offTheBoard }) => offTheBoard.map((name) => `no panel names ${name}`),
        ({ objectives }) => `${objectives} objectives, each named by a panel`,
        "name it in monitoring/dashboards",
      ),
  },
  {
    id: "pods",
    requirements: ["S1-45", "S3-43"],
    says: "The candidate's pods run its release and are ready, and stable's can take everybody back",
    find: (subject, { live }) =>
      all(
        live,
        ({ colours, route, schema }) => {
          const { desired } = subject;
          const { candidate } = desired;
          const stable = otherColour(candidate);
          const outdated = [...(route?.told?.outdated ?? []), ...(schema?.outdated ?? [])];
          const problems = [
            [
              "candidate",
              candidate,
              desired.releases[candidate] === undefined
                ? "no release"
                : notSettled(colours[candidate], desired, candidate),
            ],
            ["stable", stable, cannotServe(colours[stable], desired, stable, outdated)],
          ] as const;
          return problems.flatMap(([role, colour, problem]) =>
            problem === undefined ? [] : [`${role} ${colour}: ${problem}`],
          );
        },
        () => "all of the candidate's are ready, and stable serves",
        command("pulumi up", subject),
      ),
  },
  {
    id: "smoke",
    requirements: ["S1-45", "S3-35", "S4-60", "S4-66"],
    says: "The smoke tests pass against the candidate alone",
    find: (subject, { smoke }) =>
      when(smoke, ({ passed, tests, milliseconds, colour, version }) => {
        if (tests.length === 0) return unmeasured("the application has no smoke tests", "give it some (applications/)");
        const bad = tests.filter(({ outcome }) => outcome !== "passed");
        if (passed)
          return ok(`${tests.length} passed against ${colour} ${version} in ${(milliseconds / 1000).toFixed(1)} s`);
        const [first] = bad.filter(({ outcome }) => outcome === "failed");
        const what = first === undefined ? "" : `; ${first.name}: got ${first.got}, expected ${first.expected}`;
        return missing(`${bad.length} of ${tests.length} did not pass${what}`, command("rollout smoke", subject));
      }),
  },
  {
    id: "no-trip",
    requirements: ["S3-43", "issue 6"],
    says: "No trip is open, the candidate's release has no tombstone, nobody edited the route",
    find: (subject, { live }) =>
      when(live, ({ route }) => {
        if (!route?.told) return missing("there is no route of golive's yet", command("pulumi up", subject));
        const { candidate, releases } = subject.desired;
        const trip = openTrip(route);
        const release = releases[candidate];
        if (trip)
          return missing(tripSentence(trip), `set golive:candidateTraffic 0, then ${command("pulumi up", subject)}`);
        if (release !== undefined && route.tombstones.includes(release))
          return missing(
            `release ${release} was tripped and not cleared since`,
            `give the candidate another release, or ${command(`rollout clear ${release}`, subject)} --name WHO --reason WHY`,
          );
        if (route.edits.length > 0) return missing(route.edits.join("; "), command("pulumi preview", subject));
        return ok("no trip, no tombstone, and the route is as it was told to be");
      }),
  },
  person(
    "rollback-plan",
    ["S0-62", "S1-72", "S2-45", "S2-49", "S3-43"],
    "The rollback plan is read (docs/operations/rollback.md)",
  ),
  person("incident-response", ["S0-62"], "The incident response is ready: somebody is on call"),
  person("team-trained", ["S0-62"], "The team is trained"),
  person("go", ["S3-43"], "Somebody looked at all of this and says go", ["production"]),
];
