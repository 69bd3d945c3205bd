/** @file Arithmetic on float32 in memory, four at a time, as a WebAssembly module of about a kilobyte. What each rounds is what the loops in its place do. */
import {
  assemble,
  bits,
  type Code,
  f32x4,
  f64,
  f64x2,
  type FunctionSource,
  get,
  here,
  i32,
  i32x4,
  i8x16,
  load,
  load64,
  next,
  set,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";
import { correlate } from "./correlate.ts";
import * as maps from "./maps.ts";
import * as mixing from "./mixing.ts";
import * as exponential from "./exponential.ts";
import * as fourier from "./fourier.ts";
import * as halves from "./halves.ts";
import * as normals from "./normals.ts";
import { pages, places } from "./places.ts";
import { power } from "./power.ts";
import * as rowKernels from "./rows.ts";
import { transposeBytes } from "./transpose_bytes.ts";
import * as widths from "./widths.ts";

type FourierPass = (
  from: number,
  end: number,
  distance: number,
  apart: number,
  to: number,
  stride: number,
  table: number,
) => void;

/** Functions of the module. `from` and `to` are addresses; a stretch is whole `turn`s of bytes. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** x + shift, · factor, + offset, then at least `low` and at most `high`; NaN stays. */
  linear(from: number, to: number, shift: number, factor: number, offset: number, low: number, high: number): void;
  /** x + shift. */
  shift(from: number, to: number, shift: number): void;
  /** `linear` with a division before the product. */
  quotient(...args: readonly [number, number, number, number, number, number, number, number]): void;
  /**
   * What was found so far, at `places.result`: the least and the greatest lanes without regard to NaN and signs of zeros, the bits that any and that all had,
   * and whether there was NaN. Pairs of vectors.
   */
  extent(from: number, to: number): void;
  /** Sum, in float64, of vectors whose lanes are added up each on their own, then (a + b) + (c + d). */
  total(from: number, to: number): number;
  /** The same of (x − mean)². */
  squares(from: number, to: number, mean: number): number;
  /** Adds the second chunk. */
  sum(from: number, to: number): void;
  /** √((x + y)² + z²) with y and z of the second and third chunk. */
  magnitude(from: number, to: number): void;
  /** What is above the threshold, else `other`. */
  above(from: number, to: number, threshold: number, other: number): void;
  below(from: number, to: number, threshold: number, other: number): void;
  /** Times 1 where the second chunk is above 0, else times 0. */
  mask(from: number, to: number): void;
  /** The same by bytes: at `places.second` one for each element. */
  byteMask(from: number, to: number): void;
  /** Pairs of rows: `first` · a + `second` · b, in float64, to `to`; stretches of 16 bytes. */
  mix(from: number, end: number, second: number, to: number, a: number, b: number): void;
  /** Squares of four words: four vectors, so many bytes apart, become four others. The next ones are a step farther. */
  transpose(from: number, end: number, apart: number, step: number, to: number, toApart: number, toStep: number): void;
  /** The same with squares of eight bytes. */
  transposeBytes(from: number, end: number, apart: number, step: number, to: number, toApart: number, toStep: number): void;
  /** Vectors as pairs of those at `base`, by a table of two distances from there (32 bits each) and two weights (float64). */
  mixByTable(table: number, end: number, base: number, to: number): void;
  /** Points of the polar method from words, to their places; how many bytes of squares there are. */
  points(from: number, to: number): number;
  /** Normals of points from the addresses of their squares, to the end of these, and of themselves. */
  polar(squares: number, end: number, points: number, to: number, loc: number, scale: number): void;
  /** Times e^f, f a sum of curves, see there; `exponentialTables` has written its table. */
  field(from: number, to: number, terms: number, last: number, curves: number, apart: number): void;
  /** `clipSoftly`; as `field`. */
  softClip(from: number, to: number, sharpness: number, low: number, high: number): void;
  /**
   * Rows of `width` bytes, 16 or more, go to the second chunk, each with its elements in reverse. `to` is the end of the last one; at `pattern` is how a
   * vector is turned around.
   */
  reverseRows(from: number, to: number, width: number, pattern: number): void;
  /** Rows by the addresses of their sources: see rows.ts, of these four. */
  copyRows(addresses: number, end: number, to: number, apart: number, at: number, bytes: number): void;
  reverseStretches(...args: readonly [number, number, number, number, at: number, bytes: number, pattern: number]): void;
  oneWindow(addresses: number, end: number, to: number, apart: number, table: number, tableEnd: number): void;
  twoWindows(addresses: number, end: number, to: number, apart: number, table: number, tableEnd: number): void;
  /** Passes of a Fourier transform: see fourier.ts. */
  readonly fourier2: FourierPass;
  readonly fourier3: FourierPass;
  readonly fourier4: FourierPass;
  readonly fourier5: FourierPass;
  /** Rows of `width` bytes of float32 as float64 that are `apart`, and back: see widths.ts. */
  widenRows(from: number, end: number, width: number, to: number, apart: number): void;
  narrowRows(from: number, width: number, apart: number, to: number, end: number): void;
  /** Real lines as complex ones, and their spectra: see halves.ts, of these four. */
  splitPairs(from: number, end: number, to: number, distance: number): void;
  joinPairs(from: number, end: number, distance: number, to: number, scale: number): void;
  halfSpectra(from: number, end: number, mirror: number, distance: number, to: number, apart: number): void;
  wholeSpectra(from: number, end: number, apart: number, to: number, mirror: number, distance: number): void;
  /** Sums by a table: see correlate.ts. */
  correlate(table: number, tableEnd: number, base: number, to: number, end: number): void;
  /** The next 624 words of an MT19937 generator behind those in the first chunk; what is given out of them goes to the second. */
  twist(from: number, to: number): void;
  /** See `raise` in powers.ts, whose tables it reads: c1 to c3 are the terms of its series. Whether there are elements that it cannot raise. */
  power(from: number, to: number, c1: number, c2: number, c3: number): number;
}

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
const total = totalOf(0, (x) => x);
const squares = totalOf(
  1,
  (x) => f64x2.sub(x, f64x2.splat(get(2))),
  (x) => f64x2.mul(x, x),
);

// Two vectors a turn, of which neither waits for the other.
const extent = ((): FunctionSource => {
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
})();

const reverseRows = ((): FunctionSource => {
  const [width, pattern, at, last, turned] = [2, 3, 4, 5, 6];
  const reversed = (address: Code): Code => i8x16.swizzle(load(address), get(turned));
  return {
    parameters: ["i32", "i32", "i32", "i32"],
    variables: ["i32", "i32", "v128"],
    body: [
      ...set(turned, load(get(pattern))),
      ...whileBelow(here, get(1), [
        ...set(at, here),
        ...set(last, i32.sub(i32.add(here, get(width)), i32.of(16))),
        ...whileBelow(get(at), get(last), [
          ...store(i32.sub(i32.add(here, get(last)), get(at)), reversed(get(at)), places.second),
          ...set(at, i32.add(get(at), i32.of(16))),
        ]),
        // The end of the row, which may overlap the vector before.
        ...store(here, reversed(get(last)), places.second),
        ...set(0, i32.add(here, get(width))),
      ]),
    ],
  };
})();

// In a row of words, each comes of those 624, 623 and 227 places before: four at a time need none of each other.
const twist = ((): FunctionSource => {
  const [x, y] = [2, 3];
  const word = (n: number): Code => i32x4.splat(i32.of(n | 0));
  const right = (v: Code, n: number): Code => i32x4.shiftRightUnsigned(v, i32.of(n));
  const left = (v: Code, n: number): Code => i32x4.shiftLeft(v, i32.of(n));
  const mix = (step: Code): Code => set(x, bits.xor(get(x), step));
  const odd = i32x4.sub(word(0), bits.and(get(y), word(1)));
  return {
    parameters: ["i32", "i32"],
    variables: ["v128", "v128"],
    body: whileBelow(here, get(1), [
      ...set(y, bits.or(bits.and(load(here), word(0x80000000)), bits.and(load(here, 4), word(0x7fffffff)))),
      ...set(x, bits.xor(load(here, 4 * 397), bits.xor(right(get(y), 1), bits.and(odd, word(0x9908b0df))))),
      ...store(here, get(x), 4 * 624),
      ...mix(right(get(x), 11)),
      ...mix(bits.and(left(get(x), 7), word(0x9d2c5680))),
      ...mix(bits.and(left(get(x), 15), word(0xefc60000))),
      ...mix(right(get(x), 18)),
      ...store(here, get(x), places.second),
      ...next,
    ]),
  };
})();

/** An instance of the module. @throws where WebAssembly, or its vectors, are not there, or a page's policy forbids them */
export function instantiate(): Kernels {
  const bytes = assemble(
    {
      ...maps,
      ...mixing,
      ...normals,
      ...exponential,
      ...rowKernels,
      ...fourier,
      ...halves,
      ...widths,
      correlate,
      transposeBytes,
      extent,
      total,
      squares,
      reverseRows,
      twist,
      power,
    },
    pages,
  );
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Kernels;
}
