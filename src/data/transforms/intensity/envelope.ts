/** @file `DetectEnvelope`: the amplitude of an oscillating signal. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { withDefaults } from "../../../host/defaults.ts";
import { complex, fft } from "../../../host/fft.ts";
import type { Transform } from "../transform.ts";
import { intoType } from "./arithmetic.ts";

/** The axis of `DetectEnvelope`. */
export interface DetectEnvelopeOptions {
  /** Axis of the array, from 1 for the first spatial one. Default 1. */
  readonly axis?: number;
  /** Length to cut the axis to, or to fill it up to with zeros. Default null: as it is. */
  readonly n?: number | null;
}

/** Lines that are transformed at a time. */
const batch = 32;

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
    this.options = withDefaults("DetectEnvelope", options, { axis: 1, n: null });
    const { axis, n } = this.options;
    if (!(axis >= 0)) throw new ConfigError(`DetectEnvelope: axis must be 0 or more, got ${axis}`);
    if (n !== null && !(Number.isInteger(n) && n >= 1))
      throw new ConfigError(`DetectEnvelope: n must be an integer from 1 up, got ${n}`);
  }

  apply(x: HostArray): HostArray {
    const { axis } = this.options;
    if (axis >= x.shape.length) throw new ShapeError(`DetectEnvelope: shape [${x.shape.join(", ")}] has no axis ${axis}`);
    const size = x.shape[axis];
    if (x.data.length === 0) throw new ShapeError(`DetectEnvelope: the image of shape [${x.shape.join(", ")}] is empty`);
    const length = this.options.n ?? size;
    const inner = sizeOf(x.shape.slice(axis + 1));
    const shape = x.shape.map((s, a) => (a === axis ? length : s));
    const out = new Float32Array(sizeOf(shape));
    const used = Math.min(size, length);
    for (let from = 0, to = 0; to < out.length; from += size * inner, to += length * inner) {
      for (let column = 0; column < inner; column += batch) {
        const lines = Math.min(batch, inner - column);
        const signal = complex(length * lines);
        for (let i = 0; i < used; i++)
          for (let b = 0; b < lines; b++) signal.re[i * lines + b] = x.data[from + i * inner + column + b];
        envelope(signal, length, lines);
        for (let i = 0; i < length; i++)
          for (let b = 0; b < lines; b++) out[to + i * inner + column + b] = signal.re[i * lines + b];
      }
    }
    return { data: intoType(out, x.data), shape };
  }
}

/** Leaves out the negative frequencies, doubles the positive ones; the absolute values of what comes back are left in `re`. */
function envelope(signal: { re: Float64Array; im: Float64Array }, length: number, lines: number): void {
  const work = complex(length * lines);
  fft(length).run(signal, work, lines);
  for (let f = 0; f < length; f++) {
    // As in MONAI, an even length's highest frequency is a negative one.
    const factor = f === 0 ? 1 : f <= (length - 1) >> 1 ? 2 : 0;
    for (let i = f * lines; i < (f + 1) * lines; i++) {
      signal.re[i] *= factor / length;
      signal.im[i] *= factor / length;
    }
  }
  const back = { re: signal.im, im: signal.re };
  fft(length).run(back, { re: work.im, im: work.re }, lines);
  for (let i = 0; i < back.re.length; i++) back.re[i] = Math.sqrt(back.re[i] ** 2 + back.im[i] ** 2);
  signal.re = back.re;
}
