/**
 * @file Waiting for the device without burning a core. While a promise of Dawn's is pending, its binding for Node polls in a tight loop, which takes
 * a core from a software adapter's own threads and from data workers: on two cores a captured conv2d took
 * 190 to 205 ms so, and 101 to 128 ms without. So the promise is only asked for when
 * the work should be nearly done, judged by the shortest of the last waits. What is left of a wait then is polled with dozes between, each a small share of
 * what was waited so far: on a busy machine waits vary, and the polling was half of the host's work in sliding windows.
 */

const remembered = 4;
const share = 0.8;
// Timers are no finer than this.
const shortest = 2;
// What waits ahead are expected to take grows by no more than this at once, or to this many milliseconds: the machine may have been asleep meanwhile.
const growth = 4;
const atOnce = 100;
// Share of a wait that an answer may come late because of dozes, and the longest of them in milliseconds.
const late = 0.02;
const longestDoze = 1;
// Share of a nap by which an answer may come late and count as ready at once.
const slack = 0.08;

/**
 * Whether what was asked for after a nap was there already, which tells no more than that it took less. The answer of finished work comes later the longer
 * the nap was: timers and clocks of virtual machines differ by a hundredth, and dozes follow. Taken for work, that makes each nap longer than the last.
 */
function atOnceAfter(nap: number, asked: number): boolean {
  return asked < Math.max(shortest, slack * nap);
}

export class Patience {
  private readonly polls: boolean;
  private recent: number[] = [];
  private readyAtOnce = 0;
  private ahead = 0;
  private aheadAtOnce = 0;
  private readonly doze: ((ms: number) => Promise<void>) | undefined;
  private open = 0;
  private since = 0;
  private dozing = false;

  /** `polls`: whether pending promises of this platform cost a core; `doze` lets it sleep for some milliseconds of a turn of the event loop. */
  constructor(polls: boolean, doze?: (ms: number) => Promise<void>) {
    this.polls = polls;
    this.doze = doze;
  }

  /**
   * The same where the device has more to do than what is waited for: to be late costs nothing then, so the whole wait is slept, and a little more. Such waits
   * are expected to be as long as the last of them, unless that was many times longer than the ones before.
   */
  async waitAhead<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.polls) return ask();
    const start = performance.now();
    if (this.ahead >= shortest) await new Promise((resolve) => setTimeout(resolve, this.ahead));
    const asked = performance.now();
    const answer = await this.asked(ask);
    const end = performance.now();
    const most = Math.max(growth * this.ahead, atOnce);
    this.aheadAtOnce = atOnceAfter(asked - start, end - asked) ? this.aheadAtOnce + 1 : 0;
    // Again and again it means that the work has become much shorter.
    const shorter = this.ahead * (this.aheadAtOnce > 2 ? 0.5 : 0.9);
    this.ahead = this.aheadAtOnce > 0 ? shorter : Math.min(most, 1.05 * (end - start));
    return answer;
  }

  /** Sleeps for most of the expected wait, then asks. Without sleep if the device is `idle`, which tells nothing about waits. */
  async wait<T>(ask: () => Promise<T>, idle = false): Promise<T> {
    if (!this.polls) return ask();
    if (idle) return this.asked(ask);
    const start = performance.now();
    const nap = share * Math.min(...this.recent);
    const naps = this.recent.length === remembered && nap >= shortest;
    if (naps) await new Promise((resolve) => setTimeout(resolve, nap));
    const asked = performance.now();
    const answer = await this.asked(ask);
    const end = performance.now();
    // Ready at once: the work was done at some time in the nap, which says that it took less. Once that may be chance; again and again, naps come
    // down fast. Forgetting all that was known instead means four waits that poll, which are longer themselves.
    this.readyAtOnce = naps && atOnceAfter(asked - start, end - asked) ? this.readyAtOnce + 1 : 0;
    const took = this.readyAtOnce > 0 ? nap / 2 ** (this.readyAtOnce - 1) : end - start;
    this.recent = [...this.recent, took].slice(-remembered);
    return answer;
  }

  /** Asks, and dozes while any answer is open. */
  private asked<T>(ask: () => Promise<T>): Promise<T> {
    const answer = ask();
    if (!this.doze) return answer;
    const note = (change: number): void => {
      this.open += change;
      this.since = performance.now();
    };
    note(1);
    answer.then(
      () => note(-1),
      () => note(-1),
    );
    if (!this.dozing) void this.dozeOn(this.doze);
    return answer;
  }

  private async dozeOn(doze: (ms: number) => Promise<void>): Promise<void> {
    this.dozing = true;
    while (this.open > 0) await doze(Math.min(longestDoze, late * (performance.now() - this.since)));
    this.dozing = false;
  }
}
