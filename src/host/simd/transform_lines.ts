/** @file Fourier transforms of many lines in the memory of the WebAssembly kernels. */
import type { Lanes } from "./chunks.ts";
import type { FourierKernels } from "./fourier.ts";
import { collectedRoom, places, rowRoom } from "./places.ts";

/** How lines of a length are transformed: by passes of these factors, with twiddle factors in the order in which the passes take them. */
export interface Passes {
  readonly length: number;
  readonly factors: readonly number[];
  readonly table: Float64Array;
}

/** The factors that there are kernels of. */
const known: readonly number[] = [2, 3, 4, 5];

/** Undefined where there are no kernels of the factors, or no room for the table. `cos` and `sin` are the parts of e^(−2πi·k/length). */
export function passesOf(factors: readonly number[], cos: Float64Array, sin: Float64Array): Passes | undefined {
  const length = cos.length;
  if (length < 2 || 32 * length > rowRoom.windows || !factors.every((r) => known.includes(r))) return undefined;
  const out: number[] = [];
  let left = length;
  for (const r of factors) {
    const turn = length / left;
    left /= r;
    for (let p = 0; p < left; p++) for (let k = 1; k < r; k++) out.push(cos[k * p * turn], sin[k * p * turn]);
  }
  return { length, factors, table: Float64Array.from(out) };
}

/** How many lines of a length there is room for; they go two at a time. */
export const roomForLines = (length: number): number => 2 * Math.floor(Math.min(rowRoom.sources, collectedRoom) / (32 * length));

/**
 * Transforms lines at `places.sources`, element i of line b at i · lines + b, imaginary parts behind all real ones. Gives the place of the result, which is this
 * one or `places.collected`.
 */
export function runPasses({ kernels, memory }: Lanes<FourierKernels>, { length, factors, table }: Passes, lines: number): number {
  new Float64Array(memory.buffer, places.windows, table.length).set(table);
  const bytes = 8 * length * lines;
  let [from, to]: [number, number] = [places.sources, places.collected];
  let twiddle: number = places.windows;
  let stride = 8 * lines;
  let left = length;
  for (const r of factors) {
    left /= r;
    kernels[`fourier${r as 2 | 3 | 4 | 5}`](from, from + left * stride, bytes, left * stride, to, stride, twiddle);
    twiddle += 16 * (r - 1) * left;
    [from, to] = [to, from];
    stride *= r;
  }
  return from;
}

/** Transforms lines of arrays in place. */
export function transformLines(
  lanes: Lanes<FourierKernels>,
  re: Float64Array,
  im: Float64Array,
  lines: number,
  passes: Passes,
): void {
  const count = passes.length * lines;
  const at = (place: number) => new Float64Array(lanes.memory.buffer, place, count);
  at(places.sources).set(re.length === count ? re : re.subarray(0, count));
  at(places.sources + 8 * count).set(im.length === count ? im : im.subarray(0, count));
  const done = runPasses(lanes, passes, lines);
  re.set(at(done));
  im.set(at(done + 8 * count));
}
