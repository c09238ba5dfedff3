import { describe, expect, it } from "vitest";
import { refuseRotation, rotationAnnotation, rotationsOf } from "../../rollout/rotation.ts";

const pods = (rotation: string | undefined) => ({
  spec: { template: { metadata: { annotations: rotation === undefined ? {} : { [rotationAnnotation]: rotation } } } },
});

describe("a rotation of the passwords", () => {
  it.each([
    { live: [], wanted: 7, what: "on a new stack" },
    { live: [3, 3], wanted: 3, what: "that is none" },
    { live: [3, 3], wanted: 4, what: "to the next one" },
    { live: [3, 4], wanted: 4, what: "that a killed run left half way" },
  ])("is allowed $what", ({ live, wanted }) => {
    expect(refuseRotation(live, wanted)).toBeUndefined();
  });

  it.each([
    { live: [0, 0], wanted: 2, what: "skips one", allowed: "0 or 1", next: "set golive:rotation 1 to rotate once" },
    { live: [2, 2], wanted: 1, what: "goes back", allowed: "2 or 3", next: "set golive:rotation 3 to rotate once" },
    {
      live: [1, 2],
      wanted: 3,
      what: "begins while pods use the one before",
      allowed: "2, which some pods do not have yet",
      next: "set golive:rotation 2 and let that run end; then 3",
    },
  ])("is refused when it $what, since it would change a password that is in use", ({ live, wanted, allowed, next }) => {
    expect(refuseRotation(live, wanted)).toEqual({
      allowed: false,
      reason: `golive:rotation  got ${wanted}; allowed: ${allowed}: any other would change a password that pods use`,
      next,
    });
  });

  it("is read from the pod templates that have one", () => {
    expect(rotationsOf([pods("0"), pods(undefined), pods("12"), {}])).toEqual([0, 12]);
  });
});
