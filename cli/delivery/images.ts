import process from "node:process";
import { goBuild } from "../../local/go/build.ts";
import { places } from "../../local/places.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { type ChildResult, runChild } from "../child.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { Failure } from "../failure.ts";
import { settingsOf } from "../rollout/stack.ts";
import type { Session } from "../session.ts";
import { accepted, type Finding, findingsText, judgeFindings, passes, type Severity } from "./findings.ts";
import { jobOf } from "./job.ts";
import { required } from "./line.ts";

export const images: Command = {
  help: `
golive delivery images: known vulnerabilities of every image that a stack's pods are made from.

Usage: golive delivery images --stack STACK [--list]

  --list   only name the images

The scanner is OSV-Scanner, built from its Go module (local/go/osv-scanner, pinned with checksums) on first use; GOLIVE_SCANNER names
another executable that takes and says the same. It pulls what it scans, so it needs Docker and the right to read your registry.
What fails, and how it is accepted: golive delivery audit --help. Exit codes: 0 passed, 1 failed, 2 an image could not be scanned.
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("delivery images", args, {
      stack: { type: "string" },
      list: { type: "boolean", default: false },
    });
    refusePositionals("delivery images", positionals);
    const stack = required("images", "stack", values.stack);
    const references = imagesOf(await settingsOf(stack));
    if (values.list) {
      process.stdout.write(`${references.join("\n")}\n`);
      return 0;
    }
    const scanner = await scannerOf(session);
    const findings: Finding[] = [];
    // One after the other: each is pulled, and a runner's disk is small.
    for (const reference of references) {
      findings.push(
        ...(await session.progress.stage(reference, async () => {
          const result = await runChild(scanner, ["scan", "image", "--format", "json", reference], {
            cwd: places.root,
            env: process.env,
            capture: true,
            session,
          });
          return imageFindings(reference, result);
        })),
      );
    }
    const judgement = judgeFindings(findings, references, accepted, new Date().toISOString().slice(0, 10));
    const text = findingsText(judgement);
    await jobOf().summary(`### Images of stack ${stack}\n\n\`\`\`\n${text}\n\`\`\`\n`);
    process.stdout.write(`${text}\n`);
    return passes(judgement) ? 0 : 1;
  },
};

async function scannerOf(session: Session): Promise<string> {
  const named = process.env.GOLIVE_SCANNER;
  if (named !== undefined && named !== "") return named;
  await goBuild("osv-scanner", session.progress);
  return `${places.bin}/osv-scanner`;
}

/** Every image that a stack's settings name, as it is pulled, each once. What an operator brings along by itself is not among them. */
export function imagesOf({
  database,
  programs,
  cache,
  monitoring,
  colours,
  imageMirrors,
}: Settings): readonly string[] {
  const named: readonly (string | undefined)[] = [
    ...Object.values(colours.blue.release?.images ?? {}),
    ...Object.values(colours.green.release?.images ?? {}),
    ...("image" in database ? [database.image] : []),
    ...[programs.image, programs.postgresImage, cache.image],
    ...(monitoring.kind === "none" ? [] : Object.values(monitoring.images)),
  ];
  const pulled = named.flatMap((reference) => (reference === undefined ? [] : [mirrored(reference, imageMirrors)]));
  return [...new Set(pulled)].sort();
}

interface ScanReport {
  readonly results?: readonly {
    readonly packages?: readonly {
      readonly package: { readonly name: string; readonly version: string };
      readonly vulnerabilities?: readonly Vulnerability[];
      readonly groups?: readonly { readonly ids: readonly string[]; readonly max_severity: string }[];
    }[];
  }[];
}

interface Vulnerability {
  readonly id: string;
  readonly summary?: string;
  readonly affected?: readonly {
    readonly ranges?: readonly { readonly events?: readonly { readonly fixed?: string }[] }[];
  }[];
}

/** What the scanner ends with when it has scanned: nothing found, or something. */
const scanned = [0, 1];

/** What a scan of one image found. @throws Failure when it was not scanned: that must never look like nothing found. */
export function imageFindings(
  reference: string,
  { exitCode, stdout, stderr }: Pick<ChildResult, "exitCode" | "stdout" | "stderr">,
): readonly Finding[] {
  const said = stderr.trim().split("\n").slice(-5).join("\n");
  if (!scanned.includes(exitCode))
    throw new Failure(
      `${reference} could not be scanned (exit code ${exitCode}): ${said || "the scanner said nothing"}`,
      2,
    );
  const report = JSON.parse(stdout) as ScanReport;
  return (report.results ?? []).flatMap(({ packages = [] }) =>
    packages.flatMap(({ package: { name, version }, vulnerabilities = [], groups = [] }) =>
      groups.map(({ ids, max_severity }): Finding => {
        const own = vulnerabilities.filter(({ id }) => ids.includes(id));
        return {
          where: reference,
          id: ids[0] ?? "unknown",
          package: `${name} ${version}`,
          severity: severityOf(max_severity),
          title: own.find(({ summary }) => summary !== undefined && summary !== "")?.summary ?? "",
          fixable: own.some(({ affected = [] }) =>
            affected.some(({ ranges = [] }) =>
              ranges.some(({ events = [] }) => events.some(({ fixed }) => fixed !== undefined)),
            ),
          ),
        };
      }),
    ),
  );
}

/** CVSS base score into the words of its own specification. A finding without a score is taken for a high one. */
function severityOf(score: string): Severity {
  const number = Number(score);
  if (score.trim() === "" || Number.isNaN(number)) return "high";
  if (number >= 9) return "critical";
  if (number >= 7) return "high";
  return number >= 4 ? "moderate" : "low";
}
