/** @file Kernels of sums, in float64. */
import {
  type Code,
  f64,
  f64x2,
  type FunctionSource,
  get,
  here,
  type Kernel,
  load64,
  next,
  set,
  type ValueType,
  whileBelow,
} from "./assembler.ts";
import { blockSize } from "../blocks.ts";
import { fill, type Lanes } from "./chunks.ts";
import { chunkSize, places } from "./places.ts";

/** A function that adds up what becomes of two float64 at a time. */
const totalOf = (constants: number, value: (x: Code) => Code, become = (x: Code): Code => x): FunctionSource => {
  const [low, high, x] = [2 + constants, 3 + constants, 4 + constants];
  const add = (local: number, offset: 0 | 8): Code => [
    ...set(x, value(f64x2.ofF32(load64(here, offset)))),
    ...set(local, f64x2.add(get(local), become(get(x)))),
  ];
  const pair = (local: number): Code => f64.add(f64x2.lane(get(local), 0), f64x2.lane(get(local), 1));
  return {
    parameters: ["i32", "i32", ...new Array<ValueType>(constants).fill("f64")],
    variables: ["v128", "v128", "v128"],
    result: "f64",
    body: [...whileBelow(here, get(1), [...add(low, 0), ...add(high, 8), ...next]), ...f64.add(pair(low), pair(high))],
  };
};
/** Sum of vectors whose lanes are added up each on their own, then (a + b) + (c + d). */
export const total: Kernel<(from: number, to: number) => number> = () => totalOf(0, (x) => x);
/** The same of (x − mean)². */
export const squares: Kernel<(from: number, to: number, mean: number) => number> = () =>
  totalOf(
    1,
    (x) => f64x2.sub(x, f64x2.splat(get(2))),
    (x) => f64x2.mul(x, x),
  );

/**
 * The sum of what `kernel` gives for each block, as `inBlocks` cuts them, in order. A block that is no whole vectors is left to `loop`, which takes its
 * places in the array.
 */
export function sumInLanes(
  { first }: Lanes,
  data: Float32Array,
  kernel: (from: number, to: number) => number,
  loop: (start: number, end: number) => number,
): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += chunkSize) {
    const count = fill(first, data, at);
    for (let start = 0; start < count; start += blockSize) {
      const end = Math.min(start + blockSize, count);
      sum += end % 4 === 0 ? kernel(places.first + 4 * start, places.first + 4 * end) : loop(at + start, at + end);
    }
  }
  return sum;
}
