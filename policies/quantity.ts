const factors: Readonly<Record<string, number>> = {
  "": 1,
  ...Object.fromEntries(["k", "M", "G", "T", "P", "E"].map((unit, power) => [unit, 1000 ** (power + 1)])),
  ...Object.fromEntries(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit, power) => [unit, 1024 ** (power + 1)])),
};

/** Bytes of a memory quantity of Kubernetes (`96Mi`); NaN for what is none. Exact enough to compare two. */
export function bytesOf(quantity: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]{0,2})$/.exec(quantity) ?? [];
  return Number(number) * (factors[unit] ?? Number.NaN);
}
