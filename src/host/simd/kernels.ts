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
  i32,
  i32x4,
  load,
  load64,
  set,
  shuffleWords,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

/** Where in the module's one page things lie, in bytes: three chunks, a result, tables. */
export const places = { first: 0, second: 0x2000, third: 0x4000, result: 0x6000, tables: 0x8000, wholes: 0xc000 } as const;

/** Elements of a chunk. */
export const chunkSize = 2048;

/** Stretches are multiples of so many bytes. */
export const turn = 64;

/** Functions of the module. `from` and `to` are addresses; a stretch is whole `turn`s of bytes. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** x + shift, · factor, + offset, then at least `low` and at most `high`; NaN stays. */
  linear(from: number, to: number, shift: number, factor: number, offset: number, low: number, high: number): void;
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
  /** Rows of `width` bytes, 16 or more, go to the second chunk, each with its words in reverse. `to` is the end of the last one. */
  reverseRows(from: number, to: number, width: number): void;
  /** The next 624 words of an MT19937 generator behind those in the first chunk; what is given out of them goes to the second. */
  twist(from: number, to: number): void;
  /** See `raise` in powers.ts, whose tables it reads: c1 to c3 are the terms of its series. Whether there are elements that it cannot raise. */
  power(from: number, to: number, c1: number, c2: number, c3: number): number;
}

const here = get(0);
const next = set(0, i32.add(here, i32.of(16)));

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

const linear = map(5, (x, c) => clamped(f32x4.add(f32x4.mul(f32x4.add(x, c(0)), c(1)), c(2)), c(3), c(4)));

const quotient = map(6, (x, c) => clamped(f32x4.add(f32x4.mul(f32x4.div(f32x4.add(x, c(0)), c(1)), c(2)), c(3)), c(4), c(5)));

/** A function that adds up what becomes of two float64 at a time. */
const totalOf = (constants: number, value: (x: Code) => Code): FunctionSource => {
  const [low, high] = [2 + constants, 3 + constants];
  const add = (local: number, x: Code): Code => set(local, f64x2.add(get(local), value(f64x2.ofF32(x))));
  const pair = (local: number): Code => f64.add(f64x2.lane(get(local), 0), f64x2.lane(get(local), 1));
  return {
    parameters: ["i32", "i32", ...new Array<ValueType>(constants).fill("f64")],
    variables: ["v128", "v128"],
    result: "f64",
    body: [
      ...whileBelow(here, get(1), [
        ...add(low, load(here)),
        ...add(high, shuffleWords(load(here), load(here), [2, 3, 2, 3])),
        ...next,
      ]),
      ...f64.add(pair(low), pair(high)),
    ],
  };
};
const total = totalOf(0, (x) => x);
// The difference is computed twice, from what is in a register.
const squares = totalOf(1, (x) => {
  const difference = f64x2.sub(x, f64x2.splat(get(2)));
  return f64x2.mul(difference, difference);
});

const sum = map(0, (x, _, inChunk) => f32x4.add(x, inChunk(places.second)));

const square = (x: Code): Code => f32x4.mul(x, x);
const magnitude = map(0, (x, _, inChunk) =>
  f32x4.sqrt(f32x4.add(square(f32x4.add(x, inChunk(places.second))), square(inChunk(places.third)))),
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
  const [width, at, last] = [2, 3, 4];
  const reversed = (address: Code): Code => shuffleWords(load(address), load(address), [3, 2, 1, 0]);
  return {
    parameters: ["i32", "i32", "i32"],
    variables: ["i32", "i32"],
    body: whileBelow(here, get(1), [
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

const power = ((): FunctionSource => {
  const [x, slices, exponents, odd] = [5, 6, 7, 8];
  const splat = (constantAt: number): Code => f64x2.splat(get(constantAt));
  const one: Code = f64x2.splat([0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  // Two elements: lanes `a` and `a + 1` of the vectors above. An entry of the first table is a power and a scale.
  const entry = (at: number): Code => load(i32x4.lane(get(slices), at), places.tables);
  const whole = (at: number): Code => load64(i32x4.lane(get(exponents), at), places.wholes);
  const pair = (a: 0 | 2): Code => {
    const [first, second, r] = [9, 10, 11];
    const digits = bits.or(bits.and(get(x), i32x4.splat(i32.of(0x7fffff))), i32x4.splat(i32.of(0x800000)));
    const low = a === 0 ? digits : shuffleWords(digits, digits, [2, 3, 2, 3]);
    const series = f64x2.add(
      f64x2.add(one, f64x2.mul(get(r), splat(2))),
      f64x2.mul(f64x2.mul(get(r), get(r)), f64x2.add(splat(3), f64x2.mul(get(r), splat(4)))),
    );
    const wholes = shuffleWords(whole(a), whole(a + 1), [0, 1, 4, 5]);
    return [
      ...set(first, entry(a)),
      ...set(second, entry(a + 1)),
      ...set(r, f64x2.sub(f64x2.mul(f64x2.ofI32(low), shuffleWords(get(first), get(second), [2, 3, 6, 7])), one)),
      ...f32x4.ofF64(f64x2.mul(f64x2.mul(wholes, shuffleWords(get(first), get(second), [0, 1, 4, 5])), series)),
    ];
  };
  const shifted = (right: number, left: number, mask: number): Code =>
    bits.and(i32x4.shiftLeft(i32x4.shiftRight(get(x), i32.of(right)), i32.of(left)), i32x4.splat(i32.of(mask)));
  return {
    parameters: ["i32", "i32", "f64", "f64", "f64"],
    variables: ["v128", "v128", "v128", "v128", "v128", "v128", "v128"],
    result: "i32",
    body: [
      ...whileBelow(here, get(1), [
        ...set(x, load(here)),
        // Zero, negative, denormal; infinite, NaN.
        ...set(
          odd,
          bits.or(
            get(odd),
            bits.or(
              i32x4.lessThan(get(x), i32x4.splat(i32.of(0x00800000))),
              i32x4.lessThan(i32x4.splat(i32.of(0x7f7fffff)), get(x)),
            ),
          ),
        ),
        ...set(slices, shifted(13, 4, 1023 << 4)),
        ...set(exponents, shifted(23, 3, 255 << 3)),
        ...store(here, shuffleWords(pair(0), pair(2), [0, 1, 4, 5])),
        ...next,
      ]),
      ...bits.any(get(odd)),
    ],
  };
})();

/** An instance of the module. @throws where WebAssembly, or its vectors, are not there, or a page's policy forbids them */
export function instantiate(): Kernels {
  const bytes = assemble({ linear, quotient, extent, total, squares, sum, magnitude, reverseRows, twist, power }, 1);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Kernels;
}
