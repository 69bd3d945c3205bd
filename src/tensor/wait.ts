/**
 * @file Waiting for the device without burning a core. While a promise of Dawn's is pending, its binding for Node polls in a tight loop, which takes
 * a core from a software adapter's own threads and from data workers: on two cores a captured conv2d took
 * 190 to 205 ms so, and 101 to 128 ms without. So the promise is only asked for when
 * the work should be nearly done, judged by the shortest of the last waits.
 */

const remembered = 4;
const share = 0.8;
// Timers are no finer than this.
const shortest = 2;

export class Patience {
  private readonly polls: boolean;
  private readonly recent: number[] = [];

  /** `polls`: whether pending promises of this platform cost a core. */
  constructor(polls: boolean) {
    this.polls = polls;
  }

  /** Sleeps for most of the expected wait, then asks. */
  async wait<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.polls) return ask();
    const start = performance.now();
    const nap = share * Math.min(...this.recent);
    if (this.recent.length === remembered && nap >= shortest) await new Promise((resolve) => setTimeout(resolve, nap));
    const answer = await ask();
    this.recent.push(performance.now() - start);
    if (this.recent.length > remembered) this.recent.shift();
    return answer;
  }
}
