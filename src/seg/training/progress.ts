/**
 * @file A progress line for long work: what is running, how far, loss, learning rate, speed and time left. A terminal gets one line that
 * is rewritten in place; a log file gets a plain line every few seconds, so that it stays readable.
 */

import { expectFields } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { formatDuration, formatRate } from "../../host/text.ts";

export { formatDuration };

/** Where the work stands. Everything but `done` and `total` is shown only if given. */
export interface ProgressState {
  /** What is running, such as "epoch 2/5" or "windows". */
  label?: string;
  /** Steps (or windows, volumes) done and to do. */
  done: number;
  /** Steps to do in all. */
  total: number;
  /** Seconds since `done` was 0; gives the time left. */
  seconds?: number;
  /** Seconds left, where they do not follow from `done`, `total` and `seconds`; NaN while they are unknown. */
  eta?: number;
  /** Samples processed in `seconds`; gives samples per second. */
  samples?: number;
  /** Loss of the last step. */
  loss?: number;
  /** Learning rate of the last step. */
  lr?: number;
  /** Further values, such as { dice: 0.91 }. */
  values?: Readonly<Record<string, number>>;
}

/** Where lines go: `process.stderr` and `process.stdout` fit. */
export interface ProgressStream {
  /** Takes `text`, line breaks included. */
  write(text: string): unknown;
  /** Whether it is a terminal, where a line can be written over. */
  isTTY?: boolean;
  /** Width of the terminal in characters. */
  columns?: number;
}

/** Options of `ProgressLine`. */
export interface ProgressOptions {
  /** Seconds between lines when the stream is no terminal. Default 5. */
  plainInterval?: number;
  /** Clock in seconds, for tests. */
  now?: () => number;
}

/** Terminals are redrawn at most ten times a second: more only flickers and costs time. */
const TTY_INTERVAL = 0.1;

/** One line of text such as `epoch 2/5  12/47  loss 0.4360  lr 5.0e-3  312 samples/s  ETA 0:32`. */
export function formatProgress(state: ProgressState): string {
  expectFields("formatProgress", "state", state, {
    done: "number",
    total: "number",
    label: "text?",
    seconds: "number?",
    loss: "number?",
    lr: "number?",
  });
  const { label, done, total, seconds, samples, loss, lr, values = {} } = state;
  const parts = [label, `${String(done).padStart(String(total).length)}/${total}`];
  if (loss !== undefined) parts.push(`loss ${formatValue(loss)}`);
  for (const [name, value] of Object.entries(values)) parts.push(`${name} ${formatValue(value)}`);
  if (lr !== undefined) parts.push(`lr ${lr.toExponential(1)}`);
  if (seconds !== undefined && seconds > 0) {
    if (samples !== undefined) parts.push(`${formatRate(samples / seconds)} samples/s`);
    if (done >= total) parts.push(`took ${formatDuration(seconds)}`);
    else {
      const eta = state.eta ?? (seconds / done) * (total - done);
      if (Number.isFinite(eta)) parts.push(`ETA ${formatDuration(eta)}`);
    }
  }
  return parts.filter((p) => p !== undefined && p !== "").join("  ");
}

function formatValue(v: number): string {
  const a = Math.abs(v);
  return a !== 0 && (a < 1e-3 || a >= 1e5) ? v.toExponential(2) : v.toFixed(4);
}

/** Writes progress to a stream; call `update` as often as you like and `finish` at the end. */
export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #interval: number;
  readonly #now: () => number;
  #last = -Infinity;
  #open = false;
  #skipped: ProgressState | undefined;

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    expectOptions("ProgressLine", options, "plainInterval now");
    expectFields("ProgressLine", "stream", stream, { write: "function" });
    this.#stream = stream;
    this.#interval = stream.isTTY ? TTY_INTERVAL : (options.plainInterval ?? 5);
    this.#now = options.now ?? (() => performance.now() / 1000);
  }

  /** Shows the state, unless the last line is too recent. */
  update(state: ProgressState): void {
    const now = this.#now();
    if (now - this.#last < this.#interval) {
      this.#skipped = state;
      return;
    }
    this.#last = now;
    this.#draw(state);
  }

  /**
   * Writes a line of its own, such as an epoch's summary, in place of the progress line; the next `update` shows at once. `text` has no line break at its
   * end.
   */
  log(text: string): void {
    this.#skipped = undefined;
    this.#stream.write(this.#stream.isTTY ? `\r${text}\x1b[K\n` : `${text}\n`);
    this.#open = false;
    this.#last = -Infinity;
  }

  /** Shows the last state, however recent the line before it, and ends the line. */
  finish(): void {
    if (this.#skipped) this.#draw(this.#skipped);
    if (this.#open) this.#stream.write("\n");
    this.#open = false;
    this.#last = -Infinity;
  }

  #draw(state: ProgressState): void {
    this.#skipped = undefined;
    const line = formatProgress(state);
    if (!this.#stream.isTTY) {
      this.#stream.write(`${line}\n`);
      return;
    }
    // A line longer than the terminal would wrap, and \r could not return to its start.
    const width = this.#stream.columns || 80; // some terminals say 0
    this.#stream.write(`\r${line.slice(0, width - 1)}\x1b[K`);
    this.#open = true;
  }
}
