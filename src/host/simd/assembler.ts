/**
 * @file A WebAssembly module of small functions, put together where it is used: values are the bytes of the code that computes them. What is here is the
 * part of the instruction set that loops over vectors of 128 bits take; opcodes as in the WebAssembly core specification, 2.0.
 */

/** Code that leaves a value, or none. */
export type Code = readonly number[];

/** An unsigned number as LEB128. */
function unsigned(n: number): number[] {
  const low = n & 0x7f;
  const rest = n >>> 7;
  return rest === 0 ? [low] : [low | 0x80, ...unsigned(rest)];
}

/** A signed one. */
function signed(n: number): number[] {
  const low = n & 0x7f;
  const rest = n >> 7;
  return (rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40) ? [low] : [low | 0x80, ...signed(rest)];
}

const types = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** Type of a parameter, a variable or a result. */
export type ValueType = keyof typeof types;

const operation =
  (...opcode: number[]) =>
  (...operands: Code[]): Code => [...operands.flat(), ...opcode];
const vector = (n: number) => operation(0xfd, ...unsigned(n));
const lane = (n: number) => (x: Code, at: number) => operation(0xfd, ...unsigned(n), at)(x);

/** The value of a parameter or, counted on from them, a variable. */
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** The first parameter, an address, and what moves it on by a vector. */
export const here = get(0);
export const next: Code = [...get(0), 0x41, 16, 0x6a, 0x21, 0];

export const i32 = {
  load: (at: Code, offset = 0): Code => [...at, 0x28, 2, ...unsigned(offset)],
  of: (n: number): Code => [0x41, ...signed(n)],
  add: operation(0x6a),
  sub: operation(0x6b),
  and: operation(0x71),
  shiftLeft: operation(0x74),
  lessThan: operation(0x49),
} as const;

const bytesOf = (values: Float32Array | Float64Array): Code => [...new Uint8Array(values.buffer)];

export const f32 = { of: (v: number): Code => [0x43, ...bytesOf(Float32Array.of(v))] } as const;
export const f64 = {
  of: (v: number): Code => [0x44, ...bytesOf(Float64Array.of(v))],
  add: operation(0xa0),
  /** 1 or 0, as an i32. */
  differ: operation(0x62),
  below: operation(0x63),
  store: (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x39, 3, ...unsigned(offset)],
} as const;

/** Loads and stores of a vector at an address plus an offset that is a multiple of nothing in particular. */
export const load = (at: Code, offset = 0): Code => [...at, 0xfd, 0, 0, ...unsigned(offset)];
export const store = (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0xfd, 11, 0, ...unsigned(offset)];
/** Both halves become the 64 bits at an address. */
export const load64 = (at: Code, offset = 0): Code => [...at, 0xfd, 10, 0, ...unsigned(offset)];

/** Stores the first or the second half of a vector. */
export const store64 = (at: Code, value: Code, half: 0 | 1): Code => [...at, ...value, 0xfd, 91, 0, 0, half];

/** Bytes of two vectors by their places, 0 … 15 in the first and 16 … 31 in the second. */
export const shuffle = (a: Code, b: Code, places: readonly number[]): Code => [...a, ...b, 0xfd, 13, ...places];
/** A vector of four words. */
export const words = (...four: readonly [number, number, number, number]): Code => [
  0xfd,
  12,
  ...new Uint8Array(Int32Array.from(four).buffer),
];

/** Words of 32 bits, 0 … 3 of the first and 4 … 7 of the second vector. */
export const shuffleWords = (a: Code, b: Code, words: readonly number[]): Code =>
  shuffle(
    a,
    b,
    words.flatMap((w) => [4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3]),
  );

export const bits = {
  and: vector(78),
  or: vector(80),
  xor: vector(81),
  /** Of the first, without those of the second. */
  andNot: vector(79),
  /** Bits of the first where those of the third are set, else of the second. */ select: vector(82),
  /** 1 if any bit is set, as an i32. */ any: vector(83),
} as const;

export const i8x16 = {
  /** Bytes of the first by their places in the second; 0 for places from 16 on. */
  swizzle: vector(14),
  splat: vector(15),
  /** All bits where the lanes differ. */
  differ: vector(36),
  /** The first and the last eight lanes in 16 bits with their sign; `i16x8` the same of four lanes in 32 bits. */
  lowTo16: vector(135),
  highTo16: vector(136),
} as const;

export const i16x8 = { lowTo32: vector(167), highTo32: vector(168) } as const;

export const i32x4 = {
  splat: vector(17),
  lane: lane(27),
  /** Shifts by a number of bits, which is code too. */
  shiftLeft: vector(171),
  shiftRight: vector(172),
  /** Fills with zeros. */
  shiftRightUnsigned: vector(173),
  add: vector(174),
  sub: vector(177),
  lessThan: vector(57),
} as const;

export const f32x4 = {
  splat: vector(19),
  lane: lane(31),
  /** All bits where the lanes differ, as NaN does from itself. */
  differ: vector(66),
  same: vector(65),
  below: vector(67),
  above: vector(68),
  /** Towards zero. */
  trunc: vector(105),
  sqrt: vector(227),
  add: vector(228),
  sub: vector(229),
  mul: vector(230),
  div: vector(231),
  /** b < a ? b : a. */
  lesser: vector(234),
  /** a < b ? b : a. */
  greater: vector(235),
  /** Of two float64, with zeros behind. */
  ofF64: vector(94),
} as const;

export const f64x2 = {
  splat: vector(20),
  lane: lane(33),
  above: vector(74),
  abs: vector(236),
  negative: vector(237),
  sqrt: vector(239),
  add: vector(240),
  sub: vector(241),
  mul: vector(242),
  div: vector(243),
  /** As those of f32x4. */
  lesser: vector(246),
  greater: vector(247),
  /** Cut towards zero, with zeros behind. */
  toI32: vector(252),
  /** Of the first two float32, or 32-bit integers. */
  ofF32: vector(95),
  ofI32: vector(254),
  ofU32: vector(255),
} as const;

/** A variable, moved on. */
export const step = (local: number, by: Code): Code => set(local, i32.add(get(local), by));

/** Runs code, which advances `at` by itself, while `at` is below `end`; not at all if it is not at the beginning. */
export const whileBelow = (at: Code, end: Code, body: Code): Code => [
  ...i32.lessThan(at, end),
  0x04,
  0x40,
  0x03,
  0x40,
  ...body,
  ...i32.lessThan(at, end),
  0x0d,
  0,
  0x0b,
  0x0b,
];

/** A function of a module. */
export interface FunctionSource {
  readonly parameters: readonly ValueType[];
  /** Variables, numbered on from the parameters; 0 at first. */
  readonly variables?: readonly ValueType[];
  readonly result?: ValueType;
  readonly body: Code;
}

/** What gives a function's code, when its module is made; programs call it as an `F`. */
export interface Kernel<F> {
  (): FunctionSource;
  readonly called?: F;
}

const list = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, items: readonly Code[]): number[] => {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
};
const sized = (content: Code): number[] => [...unsigned(content.length), ...content];
const text = (name: string): number[] => sized(Array.from(name, (c) => c.charCodeAt(0)));

/** The bytes of a module that exports the functions, on the memory `host.memory` of so many pages of 64 KiB. */
export function assemble(functions: Readonly<Record<string, () => FunctionSource>>, pages: number): Uint8Array<ArrayBuffer> {
  const all = Object.values(functions).map((source) => source());
  const signature = ({ parameters, result }: FunctionSource): Code => [
    0x60,
    ...list(parameters.map((p) => [types[p]])),
    ...list(result ? [[types[result]]] : []),
  ];
  const code = ({ variables = [], body }: FunctionSource): Code =>
    sized([...list(variables.map((v) => [1, types[v]])), ...body, 0x0b]);
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, all.map(signature)),
    ...section(2, [[...text("host"), ...text("memory"), 2, 0, ...unsigned(pages)]]),
    ...section(
      3,
      all.map((_, i) => unsigned(i)),
    ),
    ...section(
      7,
      Object.keys(functions).map((name, i) => [...text(name), 0, ...unsigned(i)]),
    ),
    ...section(10, all.map(code)),
  ]);
}
