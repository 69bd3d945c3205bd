/**
 * @file Kernels that put rows of bytes together from rows elsewhere in memory. A table of addresses, 32 bits each, names the source of each row; `to` is
 * where the first row of the result, or what is made of it, begins, and `apart` how far the next is.
 */
import {
  bits,
  type Code,
  type FunctionSource,
  type Kernel,
  get,
  here,
  i32,
  i8x16,
  load,
  set,
  step,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

/** Parameters of all of them. */
const [end, to, apart] = [1, 2, 3];

/** Runs `row` with the address of each row's source in the local `source`. */
const eachRow = (source: number, row: Code): Code =>
  whileBelow(here, get(end), [...set(source, i32.load(here)), ...row, ...step(to, get(apart)), ...step(0, i32.of(4))]);

/** Stretches of `bytes`, 16 or more, from `at` on, as they are. */
export const copyRows: Kernel<
  (addresses: number, end: number, to: number, apart: number, at: number, bytes: number) => void
> = () => {
  const [at, bytes, source, t, last, four] = [4, 5, 6, 7, 8, 9];
  const move = (offset: number): Code => store(get(t), load(get(source), offset), offset);
  return {
    parameters: new Array<ValueType>(6).fill("i32"),
    variables: new Array<ValueType>(4).fill("i32"),
    body: eachRow(source, [
      ...step(source, get(at)),
      ...set(t, get(to)),
      ...set(last, i32.sub(i32.add(get(to), get(bytes)), i32.of(16))),
      ...set(four, i32.sub(get(last), i32.of(48))),
      // Of fewer than 64 bytes, this is in front of `to`, which is never below 48.
      ...whileBelow(get(t), get(four), [...[0, 16, 32, 48].flatMap(move), ...step(source, i32.of(64)), ...step(t, i32.of(64))]),
      ...whileBelow(get(t), get(last), [...move(0), ...step(source, i32.of(16)), ...step(t, i32.of(16))]),
      // The end, which may overlap the vector before.
      ...store(get(last), load(i32.sub(i32.add(get(source), get(last)), get(t)))),
    ]),
  };
};

/** Stretches that end, in reverse, with what is at `at`: vectors are turned around by the pattern at `pattern`. */
export const reverseStretches: Kernel<
  (
    ...args: readonly [addresses: number, end: number, to: number, apart: number, at: number, bytes: number, pattern: number]
  ) => void
> = () => {
  const [at, bytes, pattern, source, t, last, turned] = [4, 5, 6, 7, 8, 9, 10];
  const reversed = (address: Code): Code => i8x16.swizzle(load(address), get(turned));
  return {
    parameters: new Array<ValueType>(7).fill("i32"),
    variables: ["i32", "i32", "i32", "v128"],
    body: [
      ...set(turned, load(get(pattern))),
      ...eachRow(source, [
        ...step(source, get(at)),
        ...set(t, get(to)),
        ...set(last, i32.sub(i32.add(get(to), get(bytes)), i32.of(16))),
        ...whileBelow(get(t), get(last), [
          // As far from the end as `t` is from the beginning.
          ...store(get(t), reversed(i32.add(get(source), i32.sub(get(last), get(t))))),
          ...step(t, i32.of(16)),
        ]),
        ...store(get(last), reversed(get(source))),
      ]),
    ],
  };
};

/** A function that puts vectors together by entries of a table of `size` bytes each, which begin with the distances of sources and, third, of the result. */
const byEntries = (size: number, value: (entry: Code, source: Code) => Code): FunctionSource => {
  const [table, tableEnd, source, entry] = [4, 5, 6, 7];
  return {
    parameters: new Array<ValueType>(6).fill("i32"),
    variables: ["i32", "i32"],
    body: eachRow(source, [
      ...set(entry, get(table)),
      ...whileBelow(get(entry), get(tableEnd), [
        ...store(i32.add(get(to), i32.load(get(entry), 8)), value(get(entry), get(source))),
        ...step(entry, i32.of(size)),
      ]),
    ]),
  };
};

type Windows = (addresses: number, end: number, to: number, apart: number, table: number, tableEnd: number) => void;

const picked = (entry: Code, source: Code, distance: number, pattern: number): Code =>
  i8x16.swizzle(load(i32.add(source, i32.load(entry, distance))), load(entry, pattern));

/** Bytes of one vector of the source, by a pattern. Entries: the distance, two words (the second that of the result), none; the pattern. */
export const oneWindow: Kernel<Windows> = () => byEntries(32, (entry, source) => picked(entry, source, 0, 16));

/** Bytes of two vectors, or others. Entries: three distances, none; two patterns with holes for what is not of their vector; the others. */
export const twoWindows: Kernel<Windows> = () =>
  byEntries(64, (entry, source) => bits.or(bits.or(picked(entry, source, 0, 16), picked(entry, source, 4, 32)), load(entry, 48)));
