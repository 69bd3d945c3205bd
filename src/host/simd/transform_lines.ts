/** @file Fourier transforms of many lines in the memory of the WebAssembly kernels. */
import type { Lanes } from "./chunks.ts";
import { places, rowRoom } from "./places.ts";

/** The factors that there are kernels of. */
const known: readonly number[] = [2, 3, 4, 5];

/** Whether the kernels transform lines of a length with these factors: two at a time, and all of them and their tables in the module's memory. */
export const canTransform = (length: number, factors: readonly number[], lines: number): boolean =>
  lines % 2 === 0 &&
  32 * length * lines <= rowRoom.sources &&
  32 * length <= rowRoom.windows &&
  factors.every((r) => known.includes(r));

/** Twiddle factors in the order in which the passes take them. `cos` and `sin` are the parts of e^(−2πi·k/length). */
export function twiddles(factors: readonly number[], cos: Float64Array, sin: Float64Array): Float64Array {
  const out: number[] = [];
  let left = cos.length;
  for (const r of factors) {
    const turn = cos.length / left;
    left /= r;
    for (let p = 0; p < left; p++) for (let k = 1; k < r; k++) out.push(cos[k * p * turn], sin[k * p * turn]);
  }
  return Float64Array.from(out);
}

/** Transforms in place; real and imaginary parts, element i of line b at i · lines + b. @param table of `twiddles` */
export function transformLines(
  { kernels }: Lanes,
  re: Float64Array,
  im: Float64Array,
  lines: number,
  length: number,
  factors: readonly number[],
  table: Float64Array,
): void {
  const { memory, fourier2, fourier3, fourier4, fourier5 } = kernels;
  const count = length * lines;
  const bytes = 8 * count;
  const room = new Float64Array(memory.buffer, places.sources, 4 * count);
  room.set(re.length === count ? re : re.subarray(0, count));
  room.set(im.length === count ? im : im.subarray(0, count), count);
  new Float64Array(memory.buffer, places.windows, table.length).set(table);
  let [from, to]: [number, number] = [places.sources, places.sources + 2 * bytes];
  let twiddle: number = places.windows;
  let stride = 8 * lines;
  let left = length;
  for (const r of factors) {
    left /= r;
    const run = r === 4 ? fourier4 : r === 2 ? fourier2 : r === 3 ? fourier3 : fourier5;
    run(from, from + left * stride, bytes, left * stride, to, stride, twiddle);
    twiddle += 16 * (r - 1) * left;
    [from, to] = [to, from];
    stride *= r;
  }
  const done = (from - places.sources) / 8;
  re.set(room.subarray(done, done + count));
  im.set(room.subarray(done + count, done + 2 * count));
}
