/**
 * @file Powers of whole arrays, to 10 digits: the last bit of a float32 in all but one of some hundred results. `Math.pow` and `Math.exp` take five
 * times as long. Tables give the leading bits, a short series the rest.
 */

import { inBlocks } from "./blocks.ts";
import { changed, type Lanes, lanesOf, type LanesOf } from "./simd/chunks.ts";
import { places } from "./simd/places.ts";
import { power } from "./simd/power.ts";

const size = 256;
const slices = 1024;
/** Logarithm and reciprocal of the middles of 1024 slices of [1, 2). */
const logs = Float64Array.from({ length: slices }, (_, i) => Math.log1p((i + 0.5) / slices));
const reciprocals = Float64Array.from({ length: slices }, (_, i) => 1 / (1 + (i + 0.5) / slices));
/** 2^(i / 256). */
const fractions = Float64Array.from({ length: size }, (_, i) => 2 ** (i / size));
const least = -1074;
/** 2^i for all exponents of a float64. */
const exponents = Float64Array.from({ length: 1024 - least }, (_, i) => 2 ** (i + least));

const roundingBias = 1.5 * 2 ** 52;

/** 2^x. */
export function exp2(x: number): number {
  if (!(x > -1022 && x < 1023)) return 2 ** x;
  const scaled = x * size;
  // Of a number this large nothing below the point is left: rounding, faster than Math.round.
  const whole = scaled + roundingBias - roundingBias;
  const z = (scaled - whole) * (Math.LN2 / size);
  const k = whole | 0;
  return exponents[(k >> 8) - least] * fractions[k & 255] * (1 + z * (1 + z * (0.5 + z * (1 / 6))));
}

/** e^x. */
export const exp = (x: number): number => exp2(x * Math.LOG2E);

const lanesFor = /* @__PURE__ */ lanesOf({ power });

/** Raises the elements to a power in place. */
export function raise(data: Float32Array | Float64Array, exponent: number): void {
  if (data instanceof Float64Array) {
    for (let i = 0; i < data.length; i++) data[i] **= exponent;
    return;
  }
  // The binomial series ends after its third power.
  if (Math.abs(exponent) > 16) {
    for (let i = 0; i < data.length; i++) data[i] **= exponent;
    return;
  }
  const lanes = lanesFor(data.length);
  if (lanes) {
    const raiseChunk = chunkPower(lanes, exponent);
    return changed(lanes, data, data, raiseChunk);
  }
  const { wholes, middles, scales, c2, c3 } = seriesOf(exponent);
  const words = new Int32Array(data.buffer, data.byteOffset, data.length);
  inBlocks(data.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const word = words[i];
      if (word < normal || word >= infinite) {
        data[i] **= exponent;
        continue;
      }
      const slice = (word >> 13) & 1023;
      const r = ((word & 0x7fffff) + 0x800000) * scales[slice] - 1;
      data[i] = wholes[word >> 23] * middles[slice] * (1 + r * exponent + r * r * (c2 + r * c3));
    }
  });
}

/** Words of the least normal number and of infinity: below are zero, denormal and negative ones, from it on infinite ones and NaN. */
const normal = 0x00800000;
const infinite = 0x7f800000;

/** Powers of 2^k, of the middles of the slices, and factors of a power series of what is left of an element, |r| < 2^-9. */
function seriesOf(exponent: number) {
  const c2 = (exponent * (exponent - 1)) / 2;
  return {
    wholes: Float64Array.from({ length: 256 }, (_, k) => 2 ** ((k - 127) * exponent)),
    middles: reciprocals.map((v) => v ** -exponent),
    scales: reciprocals.map((v) => v / 2 ** 23),
    c2,
    c3: (c2 * (exponent - 2)) / 3,
  };
}

type PowerKernel = LanesOf<typeof lanesFor>["kernels"];

/** `raise` of the first chunk, up to the address `end`, for exponents up to 16. It owns the second chunk, and the tables until another one is made. */
export function chunkPower({ kernels, memory, first, second }: Lanes<PowerKernel>, exponent: number): (end: number) => void {
  const { wholes, middles, scales, c2, c3 } = seriesOf(exponent);
  const table = new Float64Array(memory.buffer, places.tables, 2 * slices);
  for (let i = 0; i < slices; i++) {
    table[2 * i] = middles[i];
    table[2 * i + 1] = scales[i];
  }
  new Float64Array(memory.buffer, places.wholes, 256).set(wholes);
  const words = new Int32Array(second.buffer, second.byteOffset, second.length);
  const zero = 0 ** exponent;
  return (end) => {
    second.set(first);
    if (kernels.power(places.first, end, exponent, c2, c3) === 0) return;
    for (let i = 0; i < end / 4; i++) {
      const word = words[i];
      if (word < normal || word >= infinite) first[i] = word === 0 ? zero : second[i] ** exponent;
    }
  };
}

/** Writes the tables of the kernels with exponentials and, for `softClip`, logarithms; `chunkPower` writes others there. */
export function exponentialTables({ memory }: Lanes): void {
  new Float64Array(memory.buffer, places.wholes, size).set(fractions);
  const table = new Float64Array(memory.buffer, places.tables, 2 * slices);
  for (let i = 0; i < slices; i++) {
    table[2 * i] = logs[i];
    table[2 * i + 1] = reciprocals[i];
  }
}

/** log(1 + x) of 0 … 1, to 12 digits behind the point. */
export function log1pOfUnit(x: number): number {
  const slice = Math.min(slices - 1, (x * slices) | 0);
  const r = (1 + x) * reciprocals[slice] - 1;
  return logs[slice] + r * (1 - r * (1 / 2 - r * (1 / 3 - r * (1 / 4))));
}
