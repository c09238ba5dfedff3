import type { Environment } from "../../applications/application.ts";
import type { Desired } from "../decision.ts";
import type { RecordDraft } from "../ledger/record.ts";
import type { Observed } from "../observed.ts";
import type { SmokeReport } from "./smoke.ts";

/** What the stack's file says. */
export interface PreflightSubject {
  readonly stack: string;
  readonly environment: Environment;
  readonly desired: Desired;
  /** Image references of the candidate's release, by service. */
  readonly images: Readonly<Record<string, string>>;
  readonly rotation: number;
  /** Where the database is: inside of the namespace in plain, or elsewhere; undefined: the application has none. */
  readonly database: { readonly kind: string; readonly tls: string } | undefined;
  /** Seconds that the newest good backup and restore drill may be old. */
  readonly oldest: { readonly backup: number; readonly drill: number };
}

/** What `golive database status` and `verify` say, as far as it is used here. */
export interface DatabaseEvidence {
  readonly pending: readonly string[];
  readonly problems: readonly string[];
  readonly invalidIndexes: readonly string[];
  /** When the newest good one ended; undefined: there never was one. */
  readonly backupAt: Date | undefined;
  readonly drillAt: Date | undefined;
  readonly verified: readonly { readonly check: string; readonly found: string; readonly ok: boolean }[];
}

export interface MonitoringEvidence {
  readonly targets: number;
  /** By job and instance. */
  readonly down: readonly string[];
  /** Critical alerts that fire. */
  readonly critical: readonly string[];
  /** The alert that always fires does. */
  readonly watchdog: boolean;
}

/** What the last whole run of the tests was of, and how it ended. */
export interface TestEvidence {
  /** Commit of the checkout; with ` dirty` where its files were not that commit's. */
  readonly commit: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface DocumentEvidence {
  readonly alerts: number;
  /** Alerts whose runbook is not there. */
  readonly withoutRunbook: readonly string[];
  readonly objectives: number;
  /** Objectives that no dashboard names. */
  readonly offTheBoard: readonly string[];
}

/** Where mandatory policies object, or cannot say, each with its rule and its resource. */
export interface PolicyEvidence {
  readonly violations: readonly string[];
  readonly undecidable: readonly string[];
}

export interface Signature {
  readonly item: string;
  readonly who: string;
  readonly why: string;
  readonly at: string;
  readonly releases: RecordDraft["releases"];
}

/** Where the evidence comes from. One that throws makes its items unmeasured, with its reason; so does undefined, with a word. */
export interface PreflightReaders {
  /** The cluster's clock. */
  now(): Promise<Date>;
  live(): Promise<Observed>;
  database(): Promise<DatabaseEvidence>;
  /** Undefined: nobody measures this stack. */
  monitoring(): Promise<MonitoringEvidence | undefined>;
  smoke(): Promise<SmokeReport>;
  /** As `commitOf` of the ledger says it. */
  commit(): Promise<string>;
  /** Undefined: no run was kept. */
  tests(): Promise<TestEvidence | undefined>;
  documents(): Promise<DocumentEvidence>;
  policies(): Promise<PolicyEvidence>;
  signatures(): Promise<readonly Signature[]>;
}

/** What was read, or in one sentence why it could not be. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

export type Evidence = {
  readonly [Name in keyof PreflightReaders]: Reading<Awaited<ReturnType<PreflightReaders[Name]>>>;
};
