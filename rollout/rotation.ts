import type { Refused } from "./decision.ts";
import type { DeploymentObject } from "./observed.ts";

/** Annotation of a pod template: the rotation of the passwords that its pods were made with. */
export const rotationAnnotation = "golive/rotation";

/** The rotations that are live, one for each Deployment that has any. */
export function rotationsOf(objects: readonly DeploymentObject[]): readonly number[] {
  return objects.flatMap(({ spec }) => {
    const text = spec?.template?.metadata?.annotations?.[rotationAnnotation];
    return text === undefined ? [] : [Number(text)];
  });
}

/**
 * Whether the passwords may be rotated to this number (S4-21). The application has two logins and uses one of them: only the
 * next rotation changes the password of the other. A jump, a way back, or the next one while pods still use the one before
 * would change a password that is in use.
 */
export function refuseRotation(live: readonly number[], wanted: number): Refused | undefined {
  const newest = Math.max(...live);
  if (live.length === 0 || wanted === newest) return undefined;
  const behind = live.some((each) => each < newest);
  if (wanted === newest + 1 && !behind) return undefined;
  const allowed = behind ? `${newest}, which some pods do not have yet` : `${newest} or ${newest + 1}`;
  return {
    allowed: false,
    reason: `golive:rotation  got ${wanted}; allowed: ${allowed}: any other would change a password that pods use`,
    next: behind
      ? `set golive:rotation ${newest} and let that run end; then ${newest + 1}`
      : `set golive:rotation ${newest + 1} to rotate once`,
  };
}
