/** @file The least and the greatest element of float32. */
import { bits, type Code, f32x4, get, here, i32, type Kernel, load, next, set, store, whileBelow } from "./assembler.ts";
import { endOf, fill, lanesOf } from "./chunks.ts";
import { chunkSize, places } from "./places.ts";

/**
 * What was found so far, at `places.result`: the least and the greatest lanes without regard to NaN and signs of zeros, the bits that any and that all had,
 * and whether there was NaN. Pairs of vectors: two a turn, of which neither waits for the other.
 */
const extent: Kernel<(from: number, to: number) => void> = () => {
  const [low, high, some, all, odd] = [2, 4, 6, 7, 8];
  const second: Code = load(here, 16);
  const saved: readonly (readonly [local: number, offset: number])[] = [
    [low, 0],
    [high, 16],
    [some, 32],
    [all, 48],
    [odd, 64],
  ];
  const result = i32.of(places.result);
  return {
    parameters: ["i32", "i32"],
    variables: ["v128", "v128", "v128", "v128", "v128", "v128", "v128"],
    body: [
      ...saved.flatMap(([local, offset]) => set(local, load(result, offset))),
      ...set(low + 1, get(low)),
      ...set(high + 1, get(high)),
      ...whileBelow(here, get(1), [
        ...set(low, f32x4.lesser(get(low), load(here))),
        ...set(high, f32x4.greater(get(high), load(here))),
        ...set(low + 1, f32x4.lesser(get(low + 1), second)),
        ...set(high + 1, f32x4.greater(get(high + 1), second)),
        ...set(some, bits.or(get(some), bits.or(load(here), second))),
        ...set(all, bits.and(get(all), bits.and(load(here), second))),
        ...set(odd, bits.or(get(odd), bits.or(f32x4.differ(load(here), load(here)), f32x4.differ(second, second)))),
        ...next,
        ...next,
      ]),
      ...set(low, f32x4.lesser(get(low), get(low + 1))),
      ...set(high, f32x4.greater(get(high), get(high + 1))),
      ...saved.flatMap(([local, offset]) => store(result, get(local), offset)),
    ],
  };
};

const lanesFor = /* @__PURE__ */ lanesOf({ extent });

/** Least and greatest element; NaN where there is one. Undefined for short arrays and where the kernels are not to be had. */
export function extentInLanes(from: Float32Array): { min: number; max: number } | undefined {
  const lanes = lanesFor(from.length);
  if (!lanes) return undefined;
  const { kernels, memory, first } = lanes;
  const result = new Float32Array(memory.buffer, places.result, 20);
  const words = new Int32Array(result.buffer, result.byteOffset, result.length);
  result.fill(Infinity, 0, 4).fill(-Infinity, 4, 8);
  words.fill(0, 8, 12).fill(-1, 12, 16).fill(0, 16);
  for (let at = 0; at < from.length; at += chunkSize) {
    const count = fill(first, from, at);
    const end = endOf(count);
    first.fill(first[0], count, end / 4);
    kernels.extent(places.first, end);
  }
  const group = (i: number) => words.subarray(4 * i, 4 * i + 4);
  if (group(4).some((odd) => odd !== 0)) return { min: NaN, max: NaN };
  const min = Math.min(...result.subarray(0, 4));
  const max = Math.max(...result.subarray(4, 8));
  // Where nothing is below zero, signs are those of zeros: -0 is less than 0.
  const someNegative = group(2).some((word) => word < 0);
  const allNegative = group(3).every((word) => word < 0);
  return { min: min === 0 ? (someNegative ? -0 : 0) : min, max: max === 0 ? (allNegative ? -0 : 0) : max };
}
