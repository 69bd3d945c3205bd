/** @file Spectra by the WebAssembly kernels: float32 go in and out in long copies; widened, turned and transformed they are in the module's memory. */
import { lanesOf, type LanesOf } from "./chunks.ts";
import { fourier } from "./fourier.ts";
import { halfSpectra, joinPairs, splitPairs, wholeSpectra } from "./halves.ts";
import { transpose } from "./mixing.ts";
import { places } from "./places.ts";
import { type Passes, roomForLines, runPasses } from "./transform_lines.ts";
import { turnFloats } from "./turn_planes.ts";
import { narrowRows, widenRows } from "./widths.ts";

const lanesOfColumns = /* @__PURE__ */ lanesOf({ ...fourier, narrowRows, widenRows });
const lanesOfHalves = /* @__PURE__ */ lanesOf({ ...fourier, transpose, splitPairs, joinPairs, halfSpectra, wholeSpectra });

/** Half of the plane's room each. */
const [reals, imaginaries] = [places.plane, places.plane + 0x80000];

/** The least elements of what is widened at a time. */
const least = 4;

/**
 * Transforms along the first axis of blocks [length, inner] in place, which begin at the elements `blocks`; gives from which column on it is still to be done, since the kernels are not to be
 * had or the columns are too few for them.
 */
export function columnsInLanes(
  re: Float32Array,
  im: Float32Array,
  inner: number,
  passes: Passes | undefined,
  blocks: readonly number[],
): number {
  const lanes = passes && lanesOfColumns(re.length);
  if (!lanes) return 0;
  const most = roomForLines(passes.length);
  const atOnce = Math.ceil(inner / Math.ceil(inner / most));
  let column = 0;
  for (; column < inner; column += atOnce) {
    const count = Math.min(atOnce, inner - column);
    if (count < least) return column;
    for (const block of blocks) transformColumns(lanes, passes, re, im, block + column, inner, count);
  }
  return inner;
}

function transformColumns(
  lanes: LanesOf<typeof lanesOfColumns>,
  passes: Passes,
  re: Float32Array,
  im: Float32Array,
  at: number,
  inner: number,
  count: number,
): void {
  const { kernels, memory } = lanes;
  const { length } = passes;
  const lines = count + (count % 2);
  const [bytes, width, pitch] = [4 * length * count, 4 * count, 8 * lines];
  const staged = ([re, im] as const).map((part, k) => {
    const place = [reals, imaginaries][k];
    return { part, place, room: new Float32Array(memory.buffer, place, length * count) };
  });
  for (const { part, room } of staged) {
    if (count === inner) room.set(part.subarray(at, at + length * count));
    else for (let i = 0; i < length; i++) room.set(part.subarray(at + i * inner, at + i * inner + count), i * count);
  }
  staged.forEach(({ place }, k) => kernels.widenRows(place, place + bytes, width, places.sources + k * length * pitch, pitch));
  const done = runPasses(lanes, passes, lines);
  staged.forEach(({ place }, k) => kernels.narrowRows(done + k * length * pitch, width, pitch, place, place + bytes));
  for (const { part, room } of staged) {
    if (count === inner) part.set(room, at);
    else for (let i = 0; i < length; i++) part.set(room.subarray(i * count, (i + 1) * count), at + i * inner);
  }
}

/** Lines of an image that are transformed at a time: what they take fits in the second cache. */
const linesAtOnce = 128;

interface HalfLines {
  readonly image: Float32Array;
  readonly re: Float32Array;
  readonly im: Float32Array;
}

/** Halves of the spectra of real lines; false where the kernels are not to be had. */
export function halvesInLanes(lines: HalfLines, passes: Passes | undefined): boolean {
  return eachLines(lines, passes, ({ kernels, memory }, { image, re, im }, count, run) => {
    const length = image.length / count;
    const kept = re.length / count;
    const [even, distance] = [4 * Math.ceil(count / 4), 16 * length * Math.ceil(count / 4)];
    const room = new Float32Array(memory.buffer, reals, even * length);
    room.set(image);
    room.fill(0, image.length);
    turnFloats(kernels.transpose, reals, even, length, imaginaries);
    kernels.splitPairs(imaginaries, imaginaries + 4 * even * length, places.sources, distance);
    const done = run(even / 2);
    const row = 4 * even;
    const apart = row * kept;
    for (let k = 0; k < kept; k++) {
      const mirror = done + row * (k === 0 ? 0 : length - k);
      kernels.halfSpectra(done + row * k, done + row * (k + 1), mirror, distance, reals + row * k, apart);
    }
    [re, im].forEach((part, k) => {
      turnFloats(kernels.transpose, reals + k * apart, kept, even, imaginaries);
      part.set(new Float32Array(memory.buffer, imaginaries, part.length));
    });
  });
}

/** The other way around, times `scale`. */
export function linesInLanes(lines: HalfLines, passes: Passes | undefined, scale: number): boolean {
  return eachLines(lines, passes, ({ kernels, memory }, { image, re, im }, count, run) => {
    const length = image.length / count;
    const kept = re.length / count;
    const [even, distance] = [4 * Math.ceil(count / 4), 16 * length * Math.ceil(count / 4)];
    const row = 4 * even;
    const apart = row * kept;
    [re, im].forEach((part, k) => {
      const room = new Float32Array(memory.buffer, imaginaries, even * kept);
      room.set(part);
      room.fill(0, part.length);
      turnFloats(kernels.transpose, imaginaries, even, kept, reals + k * apart);
    });
    for (let k = 0; k < kept; k++) {
      const mirror = places.sources + row * (k === 0 ? 0 : length - k);
      kernels.wholeSpectra(reals + row * k, reals + row * (k + 1), apart, places.sources + row * k, mirror, distance);
    }
    const done = run(even / 2);
    kernels.joinPairs(done, done + distance, distance, reals, scale);
    turnFloats(kernels.transpose, reals, length, even, imaginaries);
    image.set(new Float32Array(memory.buffer, imaginaries, image.length));
  });
}

/** Some lines at a time; `run` transforms so many complex lines and gives their place. */
function eachLines(
  { image, re, im }: HalfLines,
  passes: Passes | undefined,
  visit: (lanes: LanesOf<typeof lanesOfHalves>, lines: HalfLines, count: number, run: (lines: number) => number) => void,
): boolean {
  const lanes = passes && passes.length >= least * 2 ? lanesOfHalves(image.length) : undefined;
  if (!lanes || !passes) return false;
  const { length } = passes;
  const kept = (length >> 1) + 1;
  const all = image.length / length;
  const most = Math.min(linesAtOnce, 4 * Math.floor(roomForLines(length) / 4));
  for (let line = 0; line < all; line += most) {
    const count = Math.min(most, all - line);
    const of = (part: Float32Array, size: number) => part.subarray(line * size, (line + count) * size);
    visit(lanes, { image: of(image, length), re: of(re, kept), im: of(im, kept) }, count, (n) => runPasses(lanes, passes, n));
  }
  return true;
}
