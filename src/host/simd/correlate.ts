/** @file Kernels that widen rows of float32 to float64, and that sum what lies at certain distances, as filters do. */
import {
  type Code,
  f32x4,
  f64,
  f64x2,
  type FunctionSource,
  get,
  here,
  i32,
  load,
  load64,
  set,
  shuffleWords,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

const step = (local: number, by: Code): Code => set(local, i32.add(get(local), by));

/** Rows of `width` bytes of float32, four elements or more, one behind the other, as float64 in rows that are `apart`. */
export const widenRows = ((): FunctionSource => {
  const [end, width, to, apart, last, t] = [1, 2, 3, 4, 5, 6];
  const widen = (from: Code): Code => [
    ...store(get(t), f64x2.ofF32(load64(from))),
    ...store(get(t), f64x2.ofF32(load64(from, 8)), 16),
  ];
  return {
    parameters: new Array<ValueType>(5).fill("i32"),
    variables: ["i32", "i32"],
    body: whileBelow(here, get(end), [
      ...set(t, get(to)),
      ...set(last, i32.sub(i32.add(here, get(width)), i32.of(16))),
      ...whileBelow(here, get(last), [...widen(here), ...step(0, i32.of(16)), ...step(t, i32.of(32))]),
      // The end of the row, which may overlap the vectors before.
      ...set(t, i32.sub(get(t), i32.shiftLeft(i32.sub(here, get(last)), i32.of(1)))),
      ...widen(get(last)),
      ...set(0, i32.add(get(last), i32.of(16))),
      ...step(to, get(apart)),
    ]),
  };
})();

/**
 * Sums over a table of distances (32 bits) and, 8 bytes on, weights (float64): of float64 from `base` on, one after the other, to float32 at `to`, eight at
 * a time up to `end` or beyond.
 */
export const correlate = ((): FunctionSource => {
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
})();
