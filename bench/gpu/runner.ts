/** @file The whole run: one stage after the other within its share of the time, progress on the terminal, results on disk as they come. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../src/host/files.node.ts";
import { formatDuration } from "../../src/host/text.ts";
import type { Ceiling } from "../ceiling.ts";
import { allotment, itemLimit } from "./budget.ts";
import { ceilingIn } from "./next.ts";
import { type Message, newStage, type RunRecord, type StageName, stageNames, type StageRecord, valuesOf } from "./record.ts";
import { adapterIn, nextTable, report } from "./report.ts";
import { rowsLine, wrongSamples } from "./report_rows.ts";
import type { TuneResult } from "./stages/tune.ts";
import { runStage, type Start } from "./supervise.ts";

export interface RunOptions {
  readonly minutes: number;
  /** Tiny shapes; a software adapter gets them in any case. */
  readonly tiny: boolean;
  /** Folder of the results. */
  readonly out: string;
  /** Stages to run besides the adapter's, which the others need. */
  readonly only: readonly StageName[];
  readonly commit: string;
}

const saveEveryMs = 3000;
const sayEveryMs = 5000;
const graceSeconds = 15;
/** For the last words and writing. */
const reserveSeconds = 4;

export class Runner {
  readonly run: RunRecord;
  private readonly options: RunOptions;
  private readonly start: Start;
  private readonly say: (line: string) => void;
  private readonly begun = Date.now();
  private readonly wanted: readonly StageName[];
  private saving: Promise<void> = Promise.resolve();
  private saved = 0;
  private said = 0;
  private stopProcess: (() => void) | undefined;
  private stopped = false;

  constructor(options: RunOptions, start: Start, say: (line: string) => void) {
    this.options = options;
    this.start = start;
    this.say = say;
    this.wanted = stageNames.filter((name) => name === "adapter" || options.only.includes(name));
    const { minutes, tiny, commit } = options;
    this.run = { started: new Date().toISOString(), commit, tiny, minutes, seconds: 0, stages: {} };
  }

  /** Does all stages. True if each came to an end and every sample of the op table was right. */
  async all(): Promise<boolean> {
    mkdirSync(this.options.out, { recursive: true });
    for (const name of this.wanted) {
      if (!this.stopped) await this.stage(name);
    }
    await this.save();
    const records = Object.values(this.run.stages);
    return records.every(({ state }) => state !== "failed" && state !== "running") && !this.rowsBad();
  }

  /** Ends what is running and writes what there is. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.stopProcess?.();
    for (const record of Object.values(this.run.stages)) {
      if (record.state !== "running") continue;
      record.state = "cut";
      record.notes.push("stopped from outside");
    }
    await this.save();
  }

  /** Where the results are, without the ending. */
  get file(): string {
    const { only, out } = this.options;
    const parts = [adapterIn(this.run)?.slug ?? "unknown-adapter"];
    if (this.run.tiny) parts.push("tiny");
    if (this.wanted.length < stageNames.length) parts.push(...only);
    return join(out, parts.join("-"));
  }

  /** The last words: short, since a lent machine returns the end of the output only. */
  summary(): string {
    const rows = nextTable(this.run, 15);
    return [rowsLine(this.run), rows, `results: ${this.file}.md and .json`].filter(Boolean).join("\n");
  }

  private get elapsed(): number {
    return (Date.now() - this.begun) / 1000;
  }

  private async stage(name: StageName): Promise<void> {
    const left = 60 * this.options.minutes - reserveSeconds - this.elapsed;
    const budget = allotment(name, this.wanted, left);
    const record = (this.run.stages[name] = newStage(budget));
    this.say(`${name}: ${formatDuration(budget)} of the ${formatDuration(left)} left`);
    const task = {
      stage: name,
      tiny: this.run.tiny,
      until: Date.now() + 1000 * budget,
      skip: [],
      choices: valuesOf<TuneResult>(this.run, "tune")[0]?.[1].choices,
      ceiling: ceilingIn(this.run) satisfies Ceiling | undefined,
    };
    const start: Start = (task, onMessage, onEnd) => (this.stopProcess = this.start(task, onMessage, onEnd));
    const begun = Date.now();
    const onMessage = (message: Message) => {
      record.seconds = (Date.now() - begun) / 1000;
      this.heard(name, record, message);
    };
    await runStage(record, task, start, { itemSeconds: itemLimit(name, this.run.tiny), graceSeconds, onMessage });
    this.stopProcess = undefined;
    if (name === "adapter" && adapterIn(this.run)?.software && !this.run.tiny) {
      this.run.tiny = true;
      this.say("a software adapter: tiny shapes");
    }
    const failed = Object.keys(record.failures).length;
    this.say(`${name}: ${record.state} after ${formatDuration(record.seconds)}${failed > 0 ? `, ${failed} failed` : ""}`);
    for (const text of record.notes) this.say(`  ${text.slice(0, 500)}`);
    await this.save();
  }

  private heard(name: StageName, record: StageRecord, message: Message): void {
    const now = Date.now();
    if (message.kind === "failure") this.say(`  failed: ${message.item}: ${message.error.split("\n")[0].slice(0, 200)}`);
    if (now - this.said > sayEveryMs) {
      this.said = now;
      this.say(`  ${this.progress(name, record, message)}`);
    }
    if (now - this.saved > saveEveryMs && name !== "adapter") {
      this.saved = now;
      void this.save();
    }
  }

  private progress(name: StageName, record: StageRecord, message: Message): string {
    const own = message.kind === "progress";
    const done = own ? message.done : Object.keys(record.values).length + Object.keys(record.failures).length;
    const total = own ? message.total : record.total;
    const what = own ? message.text : "item" in message ? message.item : "";
    const left = Math.max(0, record.budget - record.seconds);
    const eta = done > 0 ? Math.min(left, (record.seconds / done) * (total - done)) : left;
    const most = Math.max(0, 60 * this.options.minutes - this.elapsed);
    return `${name} ${done}/${total}  ETA ${formatDuration(eta)}  all of it in at most ${formatDuration(most)}  ${what.slice(0, 60)}`;
  }

  private rowsBad(): boolean {
    return wrongSamples(this.run).length > 0 || Object.keys(this.run.stages.rows?.failures ?? {}).length > 0;
  }

  private save(): Promise<void> {
    this.saving = this.saving.then(async () => {
      this.run.seconds = this.elapsed;
      await writeFileAtomic(`${this.file}.json`, `${JSON.stringify(this.run, null, 1)}\n`);
      await writeFileAtomic(`${this.file}.md`, report(this.run));
    });
    return this.saving;
  }
}
