import type { PodView } from "../pod.ts";
import type { Finding } from "../rule.ts";
import { placesOf, podSecurityRule } from "./check.ts";

const allowed: readonly (string | undefined)[] = ["RuntimeDefault", "Localhost"];
const annotationPrefix = "container.apparmor.security.beta.kubernetes.io/";

export const appArmorProfile = podSecurityRule({
  id: "appArmorProfile",
  level: "baseline",
  summary: "No container turns the AppArmor profile of its runtime off.",
  why: "An unconfined container that is broken into can write where the runtime's profile would have stopped it.",
  severity: "high",
  example: {
    bad: "securityContext:\n  appArmorProfile: {type: Unconfined}",
    good: "securityContext:\n  appArmorProfile: {type: RuntimeDefault}",
  },
  *find(pod) {
    yield* unconfined(pod);
    yield* unconfinedByAnnotation(pod);
  },
});

function* unconfined(pod: PodView): Generator<Finding> {
  for (const { value, path } of placesOf(pod, "appArmorProfile")) {
    if (allowed.includes(value.type)) continue;
    yield {
      path: `${path}.type`,
      found: value.type || "no type",
      wanted: "RuntimeDefault, Localhost or no profile",
      fix: "remove appArmorProfile, or set its type to RuntimeDefault",
    };
  }
}

/** How it was said before Kubernetes 1.30; still obeyed. */
function* unconfinedByAnnotation({ path, metadata }: PodView): Generator<Finding> {
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (!key.startsWith(annotationPrefix)) continue;
    // In JSON a text may be null, which is read as empty.
    if (!value || value === "runtime/default" || value.startsWith("localhost/")) continue;
    yield {
      path: `${path === "" ? "" : `${path}.`}metadata.annotations[${key}]`,
      found: "another profile than the runtime's",
      wanted: "runtime/default, localhost/… or no annotation",
      fix: "remove the annotation",
    };
  }
}
