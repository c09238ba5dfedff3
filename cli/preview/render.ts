import type { Change, FieldChange, PolicyFinding, Preview, Traffic, verdicts } from "./model.ts";
import { counted } from "./read.ts";
import { fitted, joined, type Section } from "./section.ts";
import { markdown, type Style, terminal } from "./style.ts";

/** GitHub takes 65,536 characters in a comment; some are kept for whoever puts a line of his own around it. */
export const commentLimit = 60_000;

/** By this first line the next run finds the comment that it has to edit. */
export const markOf = (stack: string): string => `<!-- golive preview of stack ${stack} -->`;

/** A pull request's comment. The same preview gives the same text, to the letter. */
export function markdownOf(preview: Preview, limit = commentLimit): string {
  const more = (count: number) =>
    `- … and ${count} more, left out for length; all of it: \`./golive preview --stack ${preview.stack}\``;
  const mark = { lead: [markOf(preview.stack)], items: [] };
  return fitted([mark, ...sectionsOf(preview, markdown)], limit, more);
}

/** The same for a terminal, uncut. */
export const textOf = (preview: Preview): string => joined(sectionsOf(preview, terminal));

const titles: Readonly<Record<(typeof verdicts)[number], string>> = {
  clear: "nothing to object to",
  refused: "refused",
  unknown: "could not be evaluated",
};

function sectionsOf(preview: Preview, style: Style): readonly Section[] {
  const { stack, verdict, plan } = preview;
  return [
    { lead: [style.heading(`Preview of ${stack}: ${titles[verdict]}${yetOpen(preview)}`)], items: [] },
    objections(preview, style),
    ...(plan === undefined ? [unevaluated] : evaluated(preview, style)),
    {
      lead: [`${plan === undefined ? "" : `Plan ${style.code(plan.slice(0, 12))}. `}How to read this: ${guide}`],
      items: [],
    },
  ];
}

/** What nobody has decided is no pass: who reads the first line alone must know. */
function yetOpen({ verdict, policies }: Preview): string {
  const open = policies?.undecidable.filter(({ level }) => level === "mandatory").length ?? 0;
  return verdict !== "clear" || open === 0
    ? ""
    : `, but mandatory policies could not be decided ${counted(open, "time")}`;
}

const guide = "docs/reviewing-a-preview.md";

/** A run that is refused or broken before anything is declared: to say that nothing changes would be no answer. */
const unevaluated: Section = {
  lead: ["What else the run would do was not looked at. Nothing was touched."],
  items: [],
};

function evaluated(preview: Preview, style: Style): readonly Section[] {
  const { changes } = preview;
  const grave = changes.filter(({ change }) => change === "replace" || change === "delete");
  return [
    traffic(preview.traffic, style),
    list("Warnings", preview.warnings.map(style.prose), style),
    migrations(preview, style),
    list(
      "Replaced or deleted",
      grave.map((change) => graveItem(change, style)),
      style,
    ),
    changed(changes, style),
    fresh(changes, style),
    ...policies(preview, style),
  ];
}

const list = (title: string, items: readonly string[], style: Style): Section =>
  items.length === 0
    ? { lead: [], items: [] }
    : { lead: [style.bold(`${title}: ${items.length}`)], items: items.map((item) => `- ${item}`) };

const objections = ({ objections, refusal }: Preview, style: Style): Section => ({
  lead: [
    ...objections.map((text) => `- ${style.bold(style.prose(text))}`),
    ...(refusal === undefined ? [] : [`- Next: ${style.prose(refusal.next)}`]),
  ],
  items: [],
});

/** What each kind of run does to the traffic, in words. */
const moves: Readonly<Record<string, (traffic: Traffic) => string>> = {
  create: () => "the route is made",
  up: (it) => `up: ${it.candidate} ${fromTo(it)}`,
  down: (it) => `down: ${it.candidate} ${fromTo(it)}`,
  return: (it) => `back to the release before: ${it.candidate} ${fromTo(it)}`,
  roles: ({ candidate }) => `roles switch, no request moves: ${candidate} is the candidate now`,
  retire: () => "a colour is retired or gets its pods back, no request moves",
  ladder: () => "the ladder changes, no request moves",
  contract: () => "a contract migration runs, no request moves: there is no way back behind it",
};

const fromTo = ({ from, to }: Traffic) => `${from ?? 0} % → ${to} %`;

function traffic(moved: Traffic | undefined, style: Style): Section {
  if (moved === undefined) return { lead: ["Traffic: stays as it is."], items: [] };
  const { move, weights, measured, from, to, ledgerPlan } = moved;
  const words = (moves[move] ?? ((it) => `${move}: ${it.candidate} ${fromTo(it)}`))(moved);
  const shares = Object.entries(weights).map(([colour, percent]) => `${colour} ${percent} %`);
  const line = `Traffic: ${words}. Then: ${shares.join(", ")}.`;
  // Less for the candidate, or a way without return: nobody may read past it.
  const isGrave = (from !== undefined && to < from && move !== "roles") || move === "contract";
  return {
    lead: [isGrave ? style.bold(line) : line],
    items: [
      ...measured.map((text) => `- ${style.prose(text)}`),
      ...(ledgerPlan === undefined ? [] : [`- in the ledger as plan ${style.code(ledgerPlan.slice(0, 12))}`]),
    ],
  };
}

function migrations({ migrations: { pending, held } }: Preview, style: Style): Section {
  const files = pending.map(
    ({ name, phase }) => `${style.code(name)} (${phase === "contract" ? style.bold(phase) : phase})`,
  );
  const waits = held === undefined ? [] : [`- held: ${style.prose(held)}`];
  if (files.length === 0) return { lead: ["Migrations: none pending."], items: waits };
  return { lead: [`Migrations: ${files.length} pending: ${files.join(", ")}.`], items: waits };
}

const done = { replace: "replaced", delete: "deleted", create: "new", change: "changed", adopt: "adopted" } as const;

const graveItem = (change: Change, style: Style): string =>
  [
    `${style.bold(`${done[change.change]}: ${change.kind} ${style.prose(change.name)}`)} (${style.prose(change.component)})${change.kept ? ", kept on the cluster" : ""}`,
    ...fieldLines(change.fields, style),
  ].join("\n");

/** More of one resource tells nobody more; all of it is in the JSON. */
const mostFields = 8;

const fieldLines = (fields: readonly FieldChange[], style: Style): readonly string[] => [
  ...fields.slice(0, mostFields).map((field) => `  - ${fieldText(field, style)}`),
  ...(fields.length > mostFields ? [`  - and ${counted(fields.length - mostFields, "more field")}`] : []),
];

function fieldText({ path, from, to }: FieldChange, { code }: Style): string {
  if (from !== undefined && from === to) return `${code(path)} changes ${from}`;
  if (from === undefined) return `${code(path)} is new: ${code(to ?? "")}`;
  return to === undefined ? `${code(path)} goes: ${code(from)}` : `${code(path)} ${code(from)} → ${code(to)}`;
}

/** Changed resources, with their fields, by component. */
function changed(changes: readonly Change[], style: Style): Section {
  const own = changes.filter(({ change }) => change === "change" || change === "adopt");
  if (own.length === 0) return { lead: changes.length === 0 ? ["Resources: nothing changes."] : [], items: [] };
  const item = (change: Change) =>
    [
      `- ${style.prose(change.component)}: ${style.bold(`${change.kind} ${style.prose(change.name)}`)}${change.change === "adopt" ? ", adopted" : ""}`,
      ...fieldLines(change.fields, style),
    ].join("\n");
  return { lead: [style.bold(`Changed: ${own.length}`)], items: own.map(item) };
}

/** More components than that are a stack that begins: their names are looked up, not read. */
const mostOpen = 5;

/** New resources by component: of what was not there before the names say enough. */
function fresh(changes: readonly Change[], style: Style): Section {
  const own = changes.filter(({ change }) => change === "create");
  const components = [...Map.groupBy(own, ({ component }) => component)];
  if (own.length === 0) return { lead: [], items: [] };
  const items = components.map(([component, its]) => `- ${style.prose(component)}: ${style.prose(byKind(its))}`);
  if (components.length <= mostOpen) return { lead: [style.bold(`New: ${own.length}`)], items };
  const lead = `New: ${own.length}, in ${components.length} components`;
  return { lead: [lead], items, wrap: style.folded };
}

/** `Deployment a, b; Service c`. */
function byKind(changes: readonly Change[]): string {
  return [...Map.groupBy(changes, ({ kind }) => kind)]
    .map(([kind, own]) => `${kind} ${own.map(({ name }) => name).join(", ")}`)
    .join("; ");
}

function policies({ policies }: Preview, style: Style): readonly Section[] {
  if (policies === undefined) return [{ lead: [style.bold("Policies: not judged.")], items: [] }];
  const { packs, violations, undecidable, exemptions } = policies;
  const item = ({ rule, level, resource, message }: PolicyFinding) =>
    `- ${level === "mandatory" ? style.bold(level) : level} ${style.code(rule)} on ${style.prose(resource)}: ${style.prose(message)}`;
  const lead = `Policies (${packs.join(", ")}): ${counted(violations.length, "violation")}, ${undecidable.length} undecidable.`;
  return [
    { lead: [violations.length > 0 ? style.bold(lead) : lead], items: violations.map(item) },
    list(
      "Undecidable before the update",
      undecidable.map((finding) => item(finding).slice("- ".length)),
      style,
    ),
    list(
      "Exemptions that end soon",
      exemptions.map(
        ({ rule, resource, owner, expires }) =>
          `${style.prose(resource)} from ${style.code(rule)} until ${expires} (${style.prose(owner)})`,
      ),
      style,
    ),
  ];
}
