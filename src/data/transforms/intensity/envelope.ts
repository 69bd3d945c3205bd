/** @file `DetectEnvelope`: the amplitude of an oscillating signal. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { type Complex, complex, fft } from "../../../host/fft.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import type { Transform } from "../transform.ts";
import { type Floats, intoType } from "./arithmetic.ts";
import { allOptions } from "../options.ts";

/** The axis of `DetectEnvelope`. */
export interface DetectEnvelopeOptions {
  /** Axis of the array, from 1 for the first spatial one. Default 1. */
  readonly axis?: number;
  /** Length to cut the axis to, or to fill it up to with zeros. Default null: as it is. */
  readonly n?: number | null;
}

/** Complex lines, each for two real ones, that are transformed at a time. */
const batch = 16;
const zeros = new Float64Array(batch);

/**
 * |x + i·H(x)| along one axis, H the Hilbert transform: the envelope of a signal. The element type stays. MONAI's `DetectEnvelope`.
 *
 * Shapes: any; the axis becomes `n` long.
 * Geometry: dropped.
 * @throws ConfigError for a negative axis, an `n` below 1 and an unknown option, ShapeError for an axis that the array does not have
 */
export class DetectEnvelope implements Transform {
  private readonly options: Required<DetectEnvelopeOptions>;

  constructor(options: DetectEnvelopeOptions = {}) {
    this.options = allOptions("DetectEnvelope", options, "axis:number n:number", { axis: 1, n: null });
    const { axis, n } = this.options;
    if (!(axis >= 0)) throw new ConfigError(`DetectEnvelope: axis must be 0 or more, got ${axis}`);
    if (n !== null && !(Number.isInteger(n) && n >= 1))
      throw new ConfigError(`DetectEnvelope: n must be an integer from 1 up, got ${n}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("DetectEnvelope", "array", { x });
    const { axis } = this.options;
    if (axis >= x.shape.length) throw new ShapeError(`DetectEnvelope: shape [${x.shape.join(", ")}] has no axis ${axis}`);
    const size = x.shape[axis];
    if (x.data.length === 0) throw new ShapeError(`DetectEnvelope: the image of shape [${x.shape.join(", ")}] is empty`);
    const length = this.options.n ?? size;
    const inner = sizeOf(x.shape.slice(axis + 1));
    const shape = x.shape.map((s, a) => (a === axis ? length : s));
    const out = unfilledFloats(sizeOf(shape));
    const used = Math.min(size, length);
    const data = x.data instanceof Float32Array ? x.data : new Float64Array(x.data as ArrayLike<number>);
    const [signal, work] = [complex(length * batch), complex(length * batch)];
    for (let from = 0, to = 0; to < out.length; from += size * inner, to += length * inner) {
      for (let column = 0; column < inner; column += 2 * batch) {
        const lines = Math.min(2 * batch, inner - column);
        read(data, from + column, inner, used, lines, signal);
        envelope(data, from + column, inner, used, lines, signal, work, length, out, to + column);
      }
    }
    return { data: intoType(out, x.data), shape };
  }
}

/** Lines as the real and, from the `batch`-th on, the imaginary parts of complex ones; zeros beyond `used` elements. */
function read(data: Floats, from: number, stride: number, used: number, lines: number, { re, im }: Complex): void {
  re.fill(0);
  im.fill(0);
  const [first, second] = [Math.min(batch, lines), Math.max(0, lines - batch)];
  for (let i = 0; i < used; i++) {
    const [at, to] = [from + i * stride, i * batch];
    for (let b = 0; b < first; b++) re[to + b] = data[at + b];
    for (let b = 0; b < second; b++) im[to + b] = data[at + batch + b];
  }
}

/**
 * MONAI doubles the positive frequencies and leaves out the negative ones, to which it counts the highest of an even length: x without that one, plus i
 * times the transform with the signs of the frequencies, which for real lines a and b at once (as a + ib) gives ih(a) − h(b).
 */
function envelope(
  data: Floats,
  from: number,
  stride: number,
  used: number,
  lines: number,
  signal: Complex,
  work: Complex,
  length: number,
  out: Float32Array,
  to: number,
): void {
  const plan = fft(length);
  plan.run(signal, work, batch);
  const { re, im } = signal;
  const half = (length - 1) >> 1;
  const top = length % 2 === 0 ? (length / 2) * batch : 0;
  const highest = length % 2 === 0 ? [re.slice(top, top + batch), im.slice(top, top + batch)] : [zeros, zeros];
  for (let f = 0; f < length; f++) {
    const factor = f === 0 || f * batch === top ? 0 : (f <= half ? 1 : -1) / length;
    for (let i = f * batch; i < (f + 1) * batch; i++) {
      re[i] *= factor;
      im[i] *= factor;
    }
  }
  const back = { re: im, im: re };
  const spare = { re: work.im, im: work.re };
  plan.run(back, spare, batch);
  const first = Math.min(batch, lines);
  for (let i = 0; i < length; i++) {
    const [at, target] = [from + i * stride, to + i * stride];
    const sign = (i % 2 === 0 ? 1 : -1) / length;
    for (let b = 0; b < lines; b++) {
      const second = b >= first;
      const line = second ? b - batch : b;
      const x = (i < used ? data[at + b] : 0) - sign * highest[second ? 1 : 0][line];
      // Of b it is the negative, whose square is the same.
      const h = second ? back.im[i * batch + line] : back.re[i * batch + line];
      out[target + b] = Math.sqrt(x * x + h * h);
    }
  }
  // Runs may exchange the buffers.
  Object.assign(signal, { re: back.im, im: back.re });
  Object.assign(work, { re: spare.im, im: spare.re });
}
