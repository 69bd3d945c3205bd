/**
 * @file Whole arrays through the WebAssembly kernels: chunk by chunk into the module's memory, changed there, and out again. Both copies are as fast as
 * memory and a chunk stays in the first cache, so that even one addition is done sooner than by a loop, which handles one element at a time.
 */
import { blockSize } from "../blocks.ts";
import { logarithms } from "../logarithm.ts";
import { instantiate, type Kernels } from "./kernels.ts";
import { chunkSize, places, turn } from "./places.ts";

/** The kernels and their chunks. */
export interface Lanes {
  readonly kernels: Kernels;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly third: Float32Array;
  /** Five vectors. */
  readonly result: Float32Array;
}

/**
 * Elements that go from one array to the other before they are changed there, so many that they are in the second cache still. One long copy reads and writes
 * at once, chunks by way of the module take turns: 16 MiB that no cache has take 3.3 ms in place of 4.5.
 */
const ahead = 8 * chunkSize;

/** From how many elements on the way through the module is worth it. */
const least = 4 * chunkSize;

let opened: Lanes | null | undefined;

/** The kernels; undefined for short arrays, and where a browser has none or a page's policy forbids them: then plain loops do the same. */
export function lanesFor(length: number): Lanes | undefined {
  if (length < least) return undefined;
  if (opened === undefined) opened = open();
  return opened ?? undefined;
}

function open(): Lanes | null {
  try {
    const kernels = instantiate();
    const floats = (at: number, count: number) => new Float32Array(kernels.memory.buffer, at, count);
    const chunk = (at: number) => floats(at, chunkSize);
    const { first, second, third, result } = places;
    return { kernels, first: chunk(first), second: chunk(second), third: chunk(third), result: floats(result, 20) };
  } catch {
    return null;
  }
}

/** `to` becomes what `change` makes of `from` in the first chunk, up to the address `end`, which may be behind the last; `at` is the place of its first element. */
export function changed(
  { first }: Lanes,
  from: Float32Array,
  to: Float32Array,
  change: (end: number, at: number, count: number) => void,
): void {
  for (let at = 0; at < from.length; at += chunkSize) {
    if (from !== to && at % ahead === 0) to.set(from.subarray(at, at + ahead), at);
    const count = fill(first, to, at);
    change(endOf(count), at, count);
    to.set(count === chunkSize ? first : first.subarray(0, count), at);
  }
}

/** Puts the elements from `at` on into a chunk; how many there were. */
export function fill(chunk: Float32Array, from: Float32Array | Float64Array, at: number): number {
  const count = Math.min(chunk.length, from.length - at);
  chunk.set(from.subarray(at, at + count));
  return count;
}

/** Address of the end of so many elements of the first chunk, in whole turns. */
export const endOf = (count: number): number => turn * Math.ceil((4 * count) / turn);

/** Least and greatest element; NaN where there is one. */
export function extentInLanes({ kernels, first, result }: Lanes, from: Float32Array): { min: number; max: number } {
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

/** Writes how vectors of elements of `size` bytes are turned around to `places.turned`. */
export function writeTurned({ kernels }: Lanes, size: number): void {
  const pattern = new Uint8Array(kernels.memory.buffer, places.turned, 16);
  for (let b = 0; b < 16; b++) pattern[b] = 16 - size * (Math.floor(b / size) + 1) + (b % size);
}

/** Bytes of the rows that `reverseRows` takes. */
export const reversible = { least: 16, most: 4 * chunkSize } as const;

/** Copies `count` elements, which `writeTurned` knows, in rows of `width`, each in reverse; all are numbers of bytes. */
export function reverseRows(
  { kernels }: Lanes,
  data: Uint8Array,
  from: number,
  out: Uint8Array,
  to: number,
  count: number,
  width: number,
): void {
  const size = 4 * chunkSize;
  const chunk = (at: number) => new Uint8Array(kernels.memory.buffer, at, size);
  const [first, second] = [chunk(places.first), chunk(places.second)];
  const most = Math.floor(size / width) * width;
  // As in `changed`.
  const block = most * Math.max(1, Math.floor((4 * ahead) / most));
  for (let done = 0; done < count; done += most) {
    const some = Math.min(most, count - done);
    if (done % block === 0) out.set(data.subarray(from + done, from + Math.min(done + block, count)), to + done);
    first.set(out.subarray(to + done, to + done + some));
    kernels.reverseRows(places.first, places.first + some, width, places.turned);
    out.set(second.subarray(0, some), to + done);
  }
}

/** The next state of an MT19937 generator in the place of the last, and the words that it gives out. */
export function twistInLanes({ kernels }: Lanes, key: Uint32Array, words: Uint32Array): void {
  const { memory, twist } = kernels;
  const at = (place: number) => new Uint32Array(memory.buffer, place, key.length);
  at(places.first).set(key);
  twist(places.first, places.first + key.byteLength);
  key.set(at(places.first + key.byteLength));
  words.set(at(places.second));
}

/** Points that are made at a time. */
const pointsAtOnce = 512;

/**
 * Pairs of normals from `at` on, as long as two are missing; gives the place behind the last. `draw` fills in words of the generator, of which there are never
 * more than the missing pairs need if no point is rejected.
 */
export function normalsInLanes(
  { kernels }: Lanes,
  draw: (words: Uint32Array) => void,
  out: Float32Array,
  at: number,
  loc: number,
  scale: number,
): number {
  const { buffer } = kernels.memory;
  new Float64Array(buffer, places.logarithms, logarithms.length).set(logarithms);
  const words = new Uint32Array(buffer, places.words, 4 * pointsAtOnce);
  const normals = new Float32Array(buffer, places.normals, 2 * pointsAtOnce);
  let to = at;
  while (to + 1 < out.length) {
    const count = Math.min(pointsAtOnce, (out.length - to) >> 1);
    draw(count === pointsAtOnce ? words : words.subarray(0, 4 * count));
    const bytes = kernels.points(places.words, places.words + 16 * count);
    kernels.polar(places.squares, places.squares + bytes, places.points, places.normals, loc, scale);
    out.set(normals.subarray(0, bytes / 4), to);
    to += bytes / 4;
  }
  return to;
}
