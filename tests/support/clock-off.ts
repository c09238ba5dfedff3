/**
 * Loaded before a program (`node --import`), it sets the clock that the program sees off by GOLIVE_TEST_CLOCK_SECONDS: what a
 * machine whose clock nobody set would do.
 */
const offMs = Number(process.env.GOLIVE_TEST_CLOCK_SECONDS) * 1000;
const Real = Date;

globalThis.Date = class extends Real {
  constructor(...given: readonly unknown[]) {
    if (given.length === 0) super(Real.now() + offMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return Real.now() + offMs;
  }
} as DateConstructor;
