/** @file A kernel that sums what lies at certain distances, as filters do. */
import {
  type Code,
  f32x4,
  f64,
  f64x2,
  type Kernel,
  get,
  here,
  i32,
  load,
  load64,
  set,
  shuffleWords,
  step,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

/**
 * Sums over a table of distances (32 bits) and, 8 bytes on, weights (float64): of float64 from `base` on, one after the other, to float32 at `to`, eight at
 * a time up to `end` or beyond.
 */
export const correlate: Kernel<(table: number, tableEnd: number, base: number, to: number, end: number) => void> = () => {
  const [tableEnd, base, to, end, entry, at, weight, sums] = [1, 2, 3, 4, 5, 6, 7, 8];
  const pairs = [0, 1, 2, 3];
  const four = (k: number): Code => shuffleWords(f32x4.ofF64(get(sums + k)), f32x4.ofF64(get(sums + k + 1)), [0, 1, 4, 5]);
  return {
    parameters: new Array<ValueType>(5).fill("i32"),
    variables: ["i32", "i32", ...new Array<ValueType>(5).fill("v128")],
    body: whileBelow(get(to), get(end), [
      ...pairs.flatMap((k) => set(sums + k, f64x2.splat(f64.of(0)))),
      ...set(entry, here),
      ...whileBelow(get(entry), get(tableEnd), [
        ...set(at, i32.add(get(base), i32.load(get(entry)))),
        ...set(weight, load64(get(entry), 8)),
        ...pairs.flatMap((k) => set(sums + k, f64x2.add(get(sums + k), f64x2.mul(get(weight), load(get(at), 16 * k))))),
        ...step(entry, i32.of(16)),
      ]),
      ...store(get(to), four(0)),
      ...store(get(to), four(2), 16),
      ...step(base, i32.of(64)),
      ...step(to, i32.of(32)),
    ]),
  };
};
