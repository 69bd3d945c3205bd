/** @file A random source that replays a recorded log of draws: tests pin with it which draws an operation makes, in which order. */
import { DataError } from "../../src/host/errors.ts";
import type { RandomSource, RandomStateSnapshot } from "../../src/host/random/numpy.ts";

/** One recorded draw: numpy method, its positional arguments (`[]` when they were not recorded), the result. */
export type Draw = readonly [method: string, args: readonly unknown[], result: unknown];

/** Replays a log of draws in order and refuses any other call: for tests that pin which draws a transform makes. */
export class ReplaySource implements RandomSource {
  private readonly draws: readonly Draw[];
  private next = 0;

  constructor(draws: readonly Draw[]) {
    this.draws = draws;
  }

  /** Number of draws not yet asked for; 0 when the log was used up. */
  get remaining(): number {
    return this.draws.length - this.next;
  }

  rand(): number;
  rand(size: number): Float64Array;
  rand(...args: number[]): never {
    return this.take("rand", args) as never;
  }
  randint(low: number, high?: number): number;
  randint(low: number, high: number, size: number): Float64Array;
  randint(...args: unknown[]): never {
    return this.take("randint", args) as never;
  }
  uniform(low?: number, high?: number): number;
  uniform(low: number, high: number, size: number): Float64Array;
  uniform(...args: unknown[]): never {
    return this.take("uniform", args) as never;
  }
  normal(loc?: number, scale?: number): number;
  normal(loc: number, scale: number, size: number): Float64Array;
  normal(...args: unknown[]): never {
    return this.take("normal", args) as never;
  }
  beta(...args: number[]): never {
    return this.take("beta", args) as never;
  }
  choice(n: number, ..._rest: unknown[]): number[] {
    const [, [among]] = this.draws[this.next] ?? ["", []];
    const chosen = [this.take("choice", [n])].flat() as number[];
    return Array.isArray(among) ? chosen.map((value) => among.indexOf(value)) : chosen;
  }
  permutation<T>(items: number | readonly T[]): never {
    return this.take("permutation", [items]) as never;
  }
  shuffle<T>(items: T[]): void {
    items.splice(0, items.length, ...(this.take("shuffle", [items]) as T[]));
  }

  /** A log has no state that a generator could go on from. */
  getState(): RandomStateSnapshot {
    throw new DataError("ReplaySource: a log of draws has no state");
  }
  setState(): void {
    throw new DataError("ReplaySource: a log of draws has no state");
  }

  private take(method: string, args: readonly unknown[]): unknown {
    const draw = this.draws[this.next];
    const call = `${method}(${JSON.stringify(args).slice(1, -1)})`;
    if (!draw) throw new DataError(`ReplaySource: ${call} asked for after the end of the log of ${this.draws.length} draws`);
    const [loggedMethod, loggedArgs, result] = draw;
    const same = loggedMethod === method && loggedArgs.every((a, i) => sameArgument(a, args[i], method));
    if (!same) {
      throw new DataError(
        `ReplaySource: draw ${this.next} of the log is ${loggedMethod}(${JSON.stringify(loggedArgs).slice(1, -1)}), asked for ${call}`,
      );
    }
    if (typeof result === "string")
      throw new DataError(`ReplaySource: draw ${this.next}, ${call}, was logged without its values ("${result}")`);
    this.next++;
    const numbers = ["rand", "randint", "uniform", "normal", "beta"].includes(method);
    return numbers && Array.isArray(result) ? Float64Array.from(result.flat(Infinity) as number[]) : result;
  }
}

/**
 * Bounds that follow from an image's statistics or spectrum, which upstream has in float32, agree to its last bits only. A shape is asked for as its number
 * of elements, a list to choose from as its length.
 */
function sameArgument(logged: unknown, asked: unknown, method: string): boolean {
  if (Array.isArray(logged) && typeof asked === "number")
    return asked === (method === "choice" ? logged.length : (logged as number[]).reduce((a, b) => a * b, 1));
  if (typeof logged !== "number" || typeof asked !== "number") return JSON.stringify(logged) === JSON.stringify(asked);
  return Math.abs(logged - asked) <= 3e-6 * Math.abs(logged);
}
