/** @file Kernels that replace each element by what becomes of it and of those at its place in other chunks. */
import {
  bits,
  type Code,
  f32,
  f32x4,
  type FunctionSource,
  type Kernel,
  get,
  here,
  i16x8,
  i32,
  i8x16,
  load,
  set,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";
import { places, turn } from "./places.ts";

/** Vectors of a turn: what a turn costs beside them is shared. */
const perTurn = turn / 16;

/** A function that replaces each vector of a stretch, with constants, and the vectors at the same places of the other chunks. */
const map = (
  constants: number,
  value: (x: Code, constant: (i: number) => Code, inChunk: (start: number) => Code) => Code,
): FunctionSource => {
  const splat = (i: number): number => 2 + constants + i;
  return {
    parameters: ["i32", "i32", ...new Array<ValueType>(constants).fill("f32")],
    variables: new Array<ValueType>(constants).fill("v128"),
    body: [
      ...Array.from({ length: constants }, (_, i) => set(splat(i), f32x4.splat(get(2 + i)))).flat(),
      ...whileBelow(here, get(1), [
        ...Array.from({ length: perTurn }, (_, k) => {
          const x = value(
            load(here, 16 * k),
            (i) => get(splat(i)),
            (start) => load(here, start + 16 * k),
          );
          return store(here, x, 16 * k);
        }).flat(),
        ...set(0, i32.add(here, i32.of(16 * perTurn))),
      ]),
    ],
  };
};
const clamped = (x: Code, low: Code, high: Code): Code => f32x4.lesser(f32x4.greater(x, low), high);

type Map<C extends readonly number[]> = (from: number, to: number, ...constants: C) => void;

/** x + shift, · factor, + offset, then at least `low` and at most `high`; NaN stays. */
export const linear: Kernel<Map<[shift: number, factor: number, offset: number, low: number, high: number]>> = () =>
  map(5, (x, c) => clamped(f32x4.add(f32x4.mul(f32x4.add(x, c(0)), c(1)), c(2)), c(3), c(4)));

/** `linear` without all but its first step. */
export const shift: Kernel<Map<[shift: number]>> = () => map(1, (x, c) => f32x4.add(x, c(0)));

/** `linear` with a division before the product. */
export const quotient: Kernel<
  Map<[shift: number, divisor: number, factor: number, offset: number, low: number, high: number]>
> = () => map(6, (x, c) => clamped(f32x4.add(f32x4.mul(f32x4.div(f32x4.add(x, c(0)), c(1)), c(2)), c(3)), c(4), c(5)));

/** Adds the second chunk. */
export const sum: Kernel<Map<[]>> = () => map(0, (x, _, inChunk) => f32x4.add(x, inChunk(places.second)));

const square = (x: Code): Code => f32x4.mul(x, x);
/** √((x + y)² + z²) with y and z of the second and third chunk. */
export const magnitude: Kernel<Map<[]>> = () =>
  map(0, (x, _, inChunk) => f32x4.sqrt(f32x4.add(square(f32x4.add(x, inChunk(places.second))), square(inChunk(places.third)))));

/** What is above the threshold, else `other`. */
export const above: Kernel<Map<[threshold: number, other: number]>> = () =>
  map(2, (x, c) => bits.select(x, c(1), f32x4.above(x, c(0))));
/** What is below it. */
export const below: Kernel<Map<[threshold: number, other: number]>> = () =>
  map(2, (x, c) => bits.select(x, c(1), f32x4.below(x, c(0))));

const one = (): Code => f32x4.splat(f32.of(1));
/** Times 1 where the second chunk is above 0, else times 0. */
export const mask: Kernel<Map<[]>> = () =>
  map(0, (x, _, inChunk) => f32x4.mul(x, bits.and(one(), f32x4.above(inChunk(places.second), f32x4.splat(f32.of(0))))));

/** The same by bytes: at `places.second` one for each element. */
export const byteMask: Kernel<Map<[]>> = () => {
  const [bytes, set8] = [2, 3];
  // Halves of halves of the sixteen bytes.
  const quarters = [i8x16.lowTo16, i8x16.highTo16].flatMap((half) =>
    [i16x8.lowTo32, i16x8.highTo32].map((quarter) => quarter(half(get(set8)))),
  );
  return {
    parameters: ["i32", "i32"],
    variables: ["i32", "v128"],
    body: [
      ...set(bytes, i32.of(places.second)),
      ...whileBelow(here, get(1), [
        ...set(set8, i8x16.differ(load(get(bytes)), i8x16.splat(i32.of(0)))),
        ...quarters.flatMap((q, k) => store(here, f32x4.mul(load(here, 16 * k), bits.and(one(), q)), 16 * k)),
        ...set(bytes, i32.add(get(bytes), i32.of(16))),
        ...set(0, i32.add(here, i32.of(turn))),
      ]),
    ],
  };
};
