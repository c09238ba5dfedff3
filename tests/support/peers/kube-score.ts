import { lineProgress } from "../../../cli/progress.ts";
import { binariesOf, goBuild } from "../../../local/go/build.ts";
import { outcomeOf } from "../../../local/run.ts";
import type { Stack } from "../platform.ts";
import { objectName, type PeerFinding } from "./finding.ts";

/** What of its report is read. Grades go from 1 (critical) to 10 (nothing to object to). */
type Report = readonly {
  readonly type_meta: { readonly kind: string };
  readonly object_meta: { readonly name: string; readonly namespace?: string };
  readonly checks:
    | readonly {
        readonly check: { readonly id: string; readonly name: string };
        readonly grade: number;
        readonly skipped: boolean;
        readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
      }[]
    | null;
}[];

/** From here on it has nothing worth a change to say. */
const allOk = 10;

/** Checks that it leaves out by default and that ask for nothing that others of its checks do not want. */
const optional = ["container-seccomp-profile", "container-ports-check"];

export interface KubeScoreVerdict {
  readonly findings: readonly PeerFinding[];
  /** How many checks found nothing to object to: none, and it has read nothing. */
  readonly passed: number;
}

/** Builds kube-score from its Go module when it is not there yet. */
export const ensureKubeScore = (): Promise<void> => goBuild("kube-score", lineProgress());

/** All that kube-score has to say of the Kubernetes objects in a YAML stream. */
export async function kubeScore(yaml: string, environment: Stack): Promise<KubeScoreVerdict> {
  const [binary = ""] = binariesOf("kube-score");
  const asked = optional.flatMap((check) => ["--enable-optional-test", check]);
  // An annotation on an object must not silence it: the ledger has the reasons.
  const how = ["--kubernetes-version", "v1.36", "--disable-ignore-checks-annotations"];
  const args = ["score", "--output-format", "json", "--output-version", "v2", ...how, ...asked, "-"];
  const { code, stdout, stderr } = await outcomeOf(binary, args, { input: yaml });
  if (code > 1 || stdout === "") throw new Error(`kube-score ended with ${code}: ${stderr}`);
  const report: Report = JSON.parse(stdout);
  const judged = report.flatMap(({ type_meta, object_meta, checks }) => {
    const object = objectName(type_meta.kind, object_meta.namespace ?? "", object_meta.name, environment);
    return (checks ?? []).filter(({ skipped }) => !skipped).map((each) => ({ object, ...each }));
  });
  const findings = judged
    .filter(({ grade }) => grade < allOk)
    .flatMap(({ object, check, comments }) =>
      (comments ?? [{ path: "", summary: check.name }]).map(({ path, summary }) => ({
        ...{ judge: "kube-score" as const, check: check.id, environment, object },
        said: path === "" ? summary : `${path}: ${summary}`,
      })),
    );
  return { findings, passed: judged.length - judged.filter(({ grade }) => grade < allOk).length };
}
