/** @file Kernels that mix neighbors, rows and columns of a plane, as resampling does. */
import {
  type Code,
  f32x4,
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

const vector: Code = /* @__PURE__ */ i32.of(16);

/** Two of the four elements at two addresses, times their weights. */
const pair = (a: Code, b: Code, wa: Code, wb: Code, offset: 0 | 8): Code =>
  f32x4.ofF64(f64x2.add(f64x2.mul(wa, f64x2.ofF32(load64(a, offset))), f64x2.mul(wb, f64x2.ofF32(load64(b, offset)))));
const four = (a: Code, b: Code, wa: Code, wb: Code): Code =>
  shuffleWords(pair(a, b, wa, wb, 0), pair(a, b, wa, wb, 8), [0, 1, 4, 5]);

/** Pairs of rows: `first` · a + `second` · b, in float64, to `to`; stretches of 16 bytes. */
export const mix: Kernel<(first: number, end: number, second: number, to: number, a: number, b: number) => void> = () => {
  const [end, second, to, a, b, wa, wb] = [1, 2, 3, 4, 5, 6, 7];
  return {
    parameters: ["i32", "i32", "i32", "i32", "f64", "f64"],
    variables: ["v128", "v128"],
    body: [
      ...set(wa, f64x2.splat(get(a))),
      ...set(wb, f64x2.splat(get(b))),
      ...whileBelow(here, get(end), [
        ...store(get(to), four(here, get(second), get(wa), get(wb))),
        ...step(0, vector),
        ...step(second, vector),
        ...step(to, vector),
      ]),
    ],
  };
};

/** Where squares come from, and where they go. */
export type Transpose = (
  from: number,
  end: number,
  apart: number,
  step: number,
  to: number,
  toApart: number,
  toStep: number,
) => void;

/** Squares of four words: four vectors, so many bytes apart, become four others. The next ones are a step farther. */
export const transpose: Kernel<Transpose> = () => {
  const [end, apart, stepBy, to, toApart, toStep] = [1, 2, 3, 4, 5, 6];
  const [r, halves, at] = [7, 11, 15];
  const rows = [0, 1, 2, 3];
  const places = (first: Code, distance: Code): Code[] =>
    rows.map((k) => rows.slice(0, k).reduce<Code>((sum) => i32.add(sum, distance), first));
  const half = (a: number, b: number, words: readonly number[]): Code => shuffleWords(get(a), get(b), words);
  return {
    parameters: new Array<ValueType>(7).fill("i32"),
    variables: [...new Array<ValueType>(8).fill("v128"), "i32"],
    body: whileBelow(here, get(end), [
      ...places(here, get(apart)).flatMap((place, k) => set(r + k, load(place))),
      ...set(halves, half(r, r + 1, [0, 4, 1, 5])),
      ...set(halves + 1, half(r, r + 1, [2, 6, 3, 7])),
      ...set(halves + 2, half(r + 2, r + 3, [0, 4, 1, 5])),
      ...set(halves + 3, half(r + 2, r + 3, [2, 6, 3, 7])),
      ...set(at, get(to)),
      ...rows.flatMap((k) => [
        ...store(get(at), half(halves + (k >> 1), halves + 2 + (k >> 1), k % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7])),
        ...step(at, get(toApart)),
      ]),
      ...step(0, get(stepBy)),
      ...step(to, get(toStep)),
    ]),
  };
};

/** Vectors as pairs of those at `base`, by a table of two distances from there (32 bits each) and two weights (float64). */
export const mixByTable: Kernel<(table: number, end: number, base: number, to: number) => void> = () => {
  const [end, base, to, a, b] = [1, 2, 3, 4, 5];
  return {
    parameters: ["i32", "i32", "i32", "i32"],
    variables: ["i32", "i32"],
    body: whileBelow(here, get(end), [
      ...set(a, i32.add(get(base), i32.load(here))),
      ...set(b, i32.add(get(base), i32.load(here, 4))),
      ...store(get(to), four(get(a), get(b), load64(here, 8), load64(here, 16))),
      ...step(0, i32.of(24)),
      ...step(to, vector),
    ]),
  };
};
