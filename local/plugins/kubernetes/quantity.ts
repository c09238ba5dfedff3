/** Factors of Kubernetes quantities, in thousandths so that `m` stays whole. */
const factors: Readonly<Record<string, bigint>> = {
  m: 1n,
  "": 1_000n,
  k: 1_000n * 1_000n,
  M: 1_000n * 1_000n ** 2n,
  G: 1_000n * 1_000n ** 3n,
  T: 1_000n * 1_000n ** 4n,
  P: 1_000n * 1_000n ** 5n,
  E: 1_000n * 1_000n ** 6n,
  Ki: 1_000n * 1_024n,
  Mi: 1_000n * 1_024n ** 2n,
  Gi: 1_000n * 1_024n ** 3n,
  Ti: 1_000n * 1_024n ** 4n,
  Pi: 1_000n * 1_024n ** 5n,
  Ei: 1_000n * 1_024n ** 6n,
};

/** Fields that hold a quantity, and fields that hold a map of them. */
const quantityFields = new Set(["sizeLimit", "averageValue", "divisor"]);
const quantityMaps = new Set([
  "requests",
  "limits",
  "hard",
  "min",
  "max",
  "default",
  "defaultRequest",
  "maxLimitRequestRatio",
  "capacity",
  "overhead",
]);

/** Whether the API server may write the value at this path in another form than it was given. */
export function isQuantityPath(path: readonly (string | number)[]): boolean {
  const [parent, field] = path.slice(-2);
  return quantityFields.has(String(field)) || quantityMaps.has(String(parent));
}

/** Whether two quantities are the same amount: `1000m` and `1`, `1Gi` and `1024Mi`. */
export function sameQuantity(left: unknown, right: unknown): boolean {
  const amount = thousandths(left);
  return amount !== undefined && amount === thousandths(right);
}

function thousandths(value: unknown): bigint | undefined {
  const [, whole = "", fraction = "", suffix = ""] =
    /^(\d*)(?:\.(\d{0,3}))?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|)$/.exec(String(value)) ?? [];
  const factor = factors[suffix];
  if (whole + fraction === "" || factor === undefined) return undefined;
  return (BigInt(whole + fraction.padEnd(3, "0")) * factor) / 1_000n;
}
