/** @file What a run of the GPU bench keeps: one record per stage, written again and again so that a crash loses nothing that was measured. */

import type { Choices } from "../../src/index.ts";
import type { Ceiling } from "../ceiling.ts";

/** In the order they run: what decides whether the rest means anything comes first. */
export const stageNames = ["adapter", "rows", "tune", "ops", "networks", "torch", "steps"] as const;
export type StageName = (typeof stageNames)[number];

export interface StageRecord {
  /** "cut": time ran out. */
  state: "running" | "done" | "cut" | "failed" | "skipped";
  /** Given and used. */
  budget: number;
  seconds: number;
  /** Items to do; what is in neither list below was not reached. */
  total: number;
  readonly values: Record<string, unknown>;
  readonly failures: Record<string, string>;
  readonly notes: string[];
}

export interface RunRecord {
  readonly started: string;
  readonly commit: string;
  tiny: boolean;
  readonly minutes: number;
  seconds: number;
  readonly stages: Partial<Record<StageName, StageRecord>>;
}

/** What a stage's process is asked to do. */
export interface Task {
  readonly stage: StageName;
  readonly tiny: boolean;
  /** No new item is begun after this, in milliseconds since 1970. */
  readonly until: number;
  /** Items that an earlier process of this stage has dealt with, or died of. */
  readonly skip: readonly string[];
  readonly choices?: Choices;
  readonly ceiling?: Ceiling;
}

/** What it answers, as it goes. */
export type Message =
  | { readonly kind: "total"; readonly total: number }
  | { readonly kind: "begin"; readonly item: string }
  | { readonly kind: "value"; readonly item: string; readonly value: unknown }
  /** What an item has so far, kept if it does not come to its end. */
  | { readonly kind: "partial"; readonly item: string; readonly value: unknown }
  | { readonly kind: "failure"; readonly item: string; readonly error: string }
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly text: string }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "end"; readonly state: "done" | "cut" | "skipped" };

export const newStage = (budget: number): StageRecord => ({
  state: "running",
  budget,
  seconds: 0,
  total: 0,
  values: {},
  failures: {},
  notes: [],
});

/** Adds what a process said to its stage's record. */
export function note(record: StageRecord, message: Message): void {
  if (message.kind === "total") record.total = message.total;
  else if (message.kind === "value" || message.kind === "partial") record.values[message.item] = message.value;
  else if (message.kind === "failure") record.failures[message.item] = message.error;
  else if (message.kind === "note") record.notes.push(message.text);
  else if (message.kind === "end") record.state = message.state;
}

/** The results of a stage by item, none if it did not run. */
export const valuesOf = <T>(run: RunRecord, stage: StageName): (readonly [string, T])[] =>
  Object.entries((run.stages[stage]?.values ?? {}) as Record<string, T>);
