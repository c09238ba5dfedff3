export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly series: readonly Series[];
}

/** Series without labels of their own: none of what is not known. */
export const one = (value: number | undefined): readonly Series[] =>
  value === undefined ? [] : [{ labels: {}, value }];

/** Prometheus' text format, version 0.0.4: each series with these labels before its own, no family without series. */
export function expositionOf(common: Readonly<Record<string, string>>, families: readonly Family[]): string {
  const lines = families
    .filter(({ series }) => series.length > 0)
    .flatMap(({ name, type, help, series }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...series.map(({ labels, value }) => {
        const all = Object.entries({ ...common, ...labels }).map(([label, text]) => `${label}="${text}"`);
        return `${name}{${all.join(",")}} ${value}`;
      }),
    ]);
  return `${lines.join("\n")}\n`;
}
