/**
 * @file Back-pressure. Host data given to the device stay in memory until the device has come to them. A loop that never awaits cannot be told that
 * it is ahead, since nothing can be learned of the device before the loop lets go; so it is refused once it is too far ahead.
 */

import { ConfigError } from "../host/errors.ts";

/** The share of the limit from which on the device is asked how far it is. */
const share = 1 / 8;

export class Backlog {
  private readonly limit: number;
  private readonly done: () => Promise<unknown>;
  private given = 0;
  private known = 0;
  private asked = false;
  private dispatches = 0;

  /** `done` resolves when the device has done all that was submitted. */
  constructor(limit: number, done: () => Promise<unknown>) {
    if (!(limit > 0)) throw new ConfigError(`openDevice: maxBacklogBytes must be positive, got ${limit}`);
    this.limit = limit;
    this.done = done;
  }

  /**
   * Counts an upload, given the number of dispatches so far: data that come one after the other without work in between, such as weights, are
   * no loop. Throws `ConfigError` if the device is too far behind.
   */
  upload(bytes: number, dispatches: number): void {
    if (dispatches === this.dispatches) return;
    const behind = this.given - this.known;
    if (behind + bytes > this.limit && behind > 0) {
      throw new ConfigError(
        `the device is behind by ${behind} bytes of inputs: in a loop, await a result every few steps, such as a loss, or \`await device.settle()\``,
      );
    }
    this.dispatches = dispatches;
    this.given += bytes;
    if (behind + bytes > share * this.limit && !this.asked) this.ask();
  }

  /** To be called when something is asked of the device; call the result when the answer has come. */
  mark(): () => void {
    const { given } = this;
    return () => (this.known = Math.max(this.known, given));
  }

  private ask(): void {
    this.asked = true;
    const answered = this.mark();
    this.done().then(
      () => {
        this.asked = false;
        answered();
      },
      () => {}, // a lost device is reported elsewhere
    );
  }
}
