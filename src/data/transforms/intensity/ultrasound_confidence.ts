/** @file `UltrasoundConfidenceMapTransform`: how far each pixel of an ultrasound image can be trusted, by random walks from the transducer. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { complex, fft } from "../../../host/fft.ts";
import { expectWord } from "../../../host/words.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** Options of `UltrasoundConfidenceMapTransform`. */
export interface UltrasoundConfidenceMapOptions {
  /** How fast the signal fades with depth (Beer and Lambert). Default 2. */
  readonly alpha?: number;
  /** How much less easily a walk crosses a difference of intensity. Default 90. */
  readonly beta?: number;
  /** Penalty of steps that are not vertical. Default 0.05. */
  readonly gamma?: number;
  /** "B": the image as it is shown; "RF": the signal, a scan line per column, of which the envelope is taken. Default "B". */
  readonly mode?: "B" | "RF";
  /** Where walks may end, of the last row: all, the middle one, the least ones (a tenth at either side left out); or what a mask marks. Default "all". */
  readonly sinkMode?: "all" | "mid" | "min" | "mask";
  /** Stop at `cgTol` or after `cgMaxiter` steps, in place of at 1e-13 of it, where the map no longer changes. Default false. */
  readonly useCg?: boolean;
  /** With `useCg`: the residual to stop at, as a share of the right-hand side, both in the norm of the preconditioner. Default 1e-6. */
  readonly cgTol?: number;
  /** With `useCg`: the most steps. Default 200. */
  readonly cgMaxiter?: number;
}

const epsilon = Number.EPSILON;

/**
 * The chance that a random walk from each pixel reaches the transducer, the first row, before it reaches a sink: 1 above, 0 below. After Karamalis et al.,
 * Ultrasound confidence maps using random walks (2012), with the weights of their program. MONAI's `UltrasoundConfidenceMapTransform`. The linear equations are solved by
 * conjugate gradients, preconditioned with an incomplete factorization, to what MONAI's direct solver gives.
 *
 * Shapes: `[1, H, W]`, or `[1, D, H, W]`, of which the mean over D is taken → float64 `[1, H, W]`. The mask of `apply(x, mask)`: `[1, H, W]`, for "mask" alone.
 * Geometry: dropped.
 * @throws ShapeError for other shapes, and fewer than ten columns with "min"; ConfigError for options out of range and a mask that is missing; DataError for
 *   values that are not finite
 */
export class UltrasoundConfidenceMapTransform implements Transform {
  private readonly options: Required<UltrasoundConfidenceMapOptions>;

  constructor(options: UltrasoundConfidenceMapOptions = {}) {
    const op = "UltrasoundConfidenceMapTransform";
    this.options = allOptions(
      op,
      options,
      "alpha:number beta:number gamma:number mode:text sinkMode:text useCg:boolean cgTol:number cgMaxiter:number",
      { alpha: 2, beta: 90, gamma: 0.05, mode: "B", sinkMode: "all", useCg: false, cgTol: 1e-6, cgMaxiter: 200 },
    );
    expectWord(op, "mode", this.options.mode, ["B", "RF"]);
    expectWord(op, "sinkMode", this.options.sinkMode, ["all", "mid", "min", "mask"]);
  }

  apply(x: HostArray, mask?: HostArray): HostArray<Float64Array> {
    const op = "UltrasoundConfidenceMapTransform";
    expectArguments(op, "array", { x });
    expectArguments(op, "array?", { mask });
    const { mode, sinkMode, alpha } = this.options;
    const [height, width] = x.shape.slice(-2);
    if (x.shape[0] !== 1 || x.shape.length < 3 || x.shape.length > 4 || x.data.length === 0)
      throw new ShapeError(`${op}: expected shape [1, H, W] or [1, D, H, W], got [${x.shape.join(", ")}]`);
    if (sinkMode === "mask" && !mask) throw new ConfigError(`${op}: sinkMode "mask" needs a mask; call apply(image, mask)`);
    if (mask && String(mask.shape) !== String([1, height, width]))
      throw new ShapeError(`${op}: the mask has shape [${mask.shape.join(", ")}]; expected [1, ${height}, ${width}]`);
    const image = normalized(meanOf(x.data, height * width));
    if (!image.every(Number.isFinite)) throw new DataError(`${op}: the image has values that are not finite`);
    if (mode === "RF") envelope(image, height, width);
    const fixed = boundary(image, width, sinkMode, mask?.data);
    for (let i = 0; i < image.length; i++) {
      const depth = height === 1 ? 0 : Math.floor(i / width) / (height - 1);
      image[i] *= 1 - Math.exp(-alpha * depth);
    }
    return { data: new Walks(image, width, fixed, this.options).solve(this.options), shape: [1, height, width] };
  }
}

/** The mean over the slices, in float32 of float32, as numpy has it. */
function meanOf(data: TypedArray, size: number): Float64Array {
  const sum = data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
  for (let at = 0; at < data.length; at += size) for (let i = 0; i < size; i++) sum[i] += data[at + i];
  for (let i = 0; i < size; i++) sum[i] /= data.length / size;
  return Float64Array.from(sum);
}

/** To 0 … 1. */
function normalized(data: Float64Array): Float64Array {
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    least = Math.min(least, data[i]);
    most = Math.max(most, data[i]);
  }
  return data.map((v) => (v - least) / (most - least + epsilon));
}

/** |x + i·H(x)| of each column, H the Hilbert transform, in place. */
function envelope(image: Float64Array, height: number, width: number): void {
  const signal = { re: image.slice(), im: new Float64Array(image.length) };
  const work = complex(image.length);
  fft(height).run(signal, work, width);
  for (let f = 0; f < height; f++) {
    // Times −i for positive frequencies and i for negative ones; 0 and the highest of an even length have none.
    const sign = f === 0 || 2 * f === height ? 0 : (2 * f < height ? 1 : -1) / height;
    for (let i = f * width; i < (f + 1) * width; i++) [signal.re[i], signal.im[i]] = [sign * signal.im[i], -sign * signal.re[i]];
  }
  const back = { re: signal.im, im: signal.re };
  fft(height).run(back, { re: work.im, im: work.re }, width);
  for (let i = 0; i < image.length; i++) image[i] = Math.sqrt(image[i] ** 2 + back.im[i] ** 2);
}

/** 1 for sources, 2 for sinks, else 0. What is both is a source. */
function boundary(image: Float64Array, width: number, sinkMode: string, mask: TypedArray | undefined): Uint8Array {
  const fixed = new Uint8Array(image.length);
  const last = image.length - width;
  if (sinkMode === "all") fixed.fill(2, last);
  else if (sinkMode === "mid") fixed[last + (width >> 1)] = 2;
  else if (sinkMode === "mask") for (let i = 0; i < fixed.length; i++) fixed[i] = mask![i] !== 0 ? 2 : 0;
  else {
    const edge = Math.floor(width * 0.1);
    if (edge === 0)
      throw new ShapeError(`UltrasoundConfidenceMapTransform: sinkMode "min" needs at least 10 columns, the image has ${width}`);
    const inner = image.subarray(last + edge, image.length - edge);
    const least = inner.reduce((a, b) => Math.min(a, b));
    inner.forEach((v, i) => v === least && (fixed[last + edge + i] = 2));
  }
  return fixed.fill(1, 0, width);
}

/** Pairs of a pixel and a later neighbor: columns and rows apart. */
const steps = [
  [0, 1],
  [1, 0],
  [1, 1],
  [-1, 1],
] as const;

/**
 * The equations L·x = b of the pixels that are free. Arrays have a row and a pixel of zeros at either end, so that loops need not look where the image ends; an edge that
 * leaves it, or leads to a pixel that is fixed, has no weight.
 */
class Walks {
  private readonly fixed: Uint8Array;
  private readonly first: number;
  private readonly end: number;
  private readonly length: number;
  /** How far the later neighbors are, and the weights of the edges there. */
  private readonly ahead: readonly number[];
  private readonly edges: readonly Float64Array[];
  private readonly diagonal: Float64Array;
  private readonly scale: Float64Array;
  private readonly right: Float64Array;

  constructor(
    image: Float64Array,
    width: number,
    fixed: Uint8Array,
    { beta, gamma }: { readonly beta: number; readonly gamma: number },
  ) {
    this.fixed = fixed;
    this.first = width + 1;
    this.end = this.first + image.length;
    this.length = this.end + this.first;
    this.ahead = steps.map(([dx, dy]) => dy * width + dx);
    const array = () => new Float64Array(this.length);
    this.diagonal = array();
    this.right = array();
    this.edges = weightsOf(image, width, beta, gamma).map((weights, k) => this.coupled(weights, this.ahead[k]));
    for (let i = 0; i < image.length; i++) if (fixed[i]) this.diagonal[this.first + i] = 1;
    this.scale = this.factored(array());
    this.rescale();
  }

  /** The edges between free pixels; those to fixed ones go to the right-hand side. */
  private coupled(weights: Float64Array, ahead: number): Float64Array {
    const { fixed, first, diagonal, right } = this;
    const out = new Float64Array(this.length);
    for (let i = 0; i < weights.length; i++) {
      const [w, k] = [weights[i], i + ahead];
      if (w === 0) continue;
      diagonal[first + i] += w;
      diagonal[first + k] += w;
      if (!fixed[i] && !fixed[k]) out[first + i] = w;
      else if (!fixed[i] && fixed[k] === 1) right[first + i] += w;
      else if (!fixed[k] && fixed[i] === 1) right[first + k] += w;
    }
    return out;
  }

  /**
   * D^−½ of the preconditioner (D − E)·D⁻¹·(D − Eᵀ), E the earlier edges: what this product has more than L is taken from the diagonal (Gustafsson, 1978). Of
   * 512×476 pixels the share of 0.9999 needs 490 steps to 1e-12, 0.99 and 1 need over 1000.
   */
  private factored(out: Float64Array): Float64Array {
    const { edges, ahead, diagonal } = this;
    for (let i = this.first; i < this.end; i++) {
      let pivot = diagonal[i];
      for (let k = 0; k < 4; k++) {
        const j = i - ahead[k];
        const w = edges[k][j];
        if (w === 0) continue;
        pivot -= w * out[j] ** 2 * (w + 0.9999 * (edges[0][j] + edges[1][j] + edges[2][j] + edges[3][j] - w));
      }
      out[i] = 1 / Math.sqrt(pivot);
    }
    return out;
  }

  /** To the equations D^−½·L·D^−½·(D^½·x) = D^−½·b, whose D is 1. */
  private rescale(): void {
    const { scale, diagonal, right } = this;
    this.edges.forEach((edge, k) => {
      for (let i = this.first; i < this.end; i++) edge[i] *= scale[i] * scale[i + this.ahead[k]];
    });
    for (let i = this.first; i < this.end; i++) {
      diagonal[i] *= scale[i] ** 2;
      right[i] *= scale[i];
    }
  }

  /**
   * Conjugate gradients on (1 − E)⁻¹·L·(1 − Eᵀ)⁻¹, which costs no more than its two triangular systems, since L is 1 − E and 1 − Eᵀ and something diagonal
   * (Eisenstat, 1981): `t` and `y` solve them. The neighbor that was computed last is added last, since the processor waits for it.
   */
  solve({ useCg, cgTol, cgMaxiter }: Required<UltrasoundConfidenceMapOptions>): Float64Array {
    const { fixed, first, end, diagonal, right, scale } = this;
    const [a, b, c, d] = this.edges;
    const [e, f, g, h] = this.ahead;
    const [x, p, t, y, residual] = [0, 1, 2, 3, 4].map(() => new Float64Array(this.length));
    let norm = 0;
    for (let i = first; i < end; i++) {
      y[i] = right[i] + (a[i - e] * y[i - e] + c[i - g] * y[i - g] + d[i - h] * y[i - h]) + b[i - f] * y[i - f];
      residual[i] = y[i];
      norm += y[i] * y[i];
    }
    const least = (useCg ? cgTol : 1e-13) ** 2 * norm;
    const most = useCg ? cgMaxiter : 50_000;
    for (let step = 0, before = Infinity; norm > least && step < most; step++) {
      const share = norm / before;
      for (let i = end - 1; i >= first; i--) {
        p[i] = residual[i] + share * p[i];
        t[i] = p[i] + (a[i] * t[i + e] + c[i] * t[i + g] + d[i] * t[i + h]) + b[i] * t[i + f];
      }
      let along = 0;
      for (let i = first; i < end; i++) {
        const own = p[i] + (diagonal[i] - 2) * t[i];
        y[i] = own + (a[i - e] * y[i - e] + c[i - g] * y[i - g] + d[i - h] * y[i - h]) + b[i - f] * y[i - f];
        along += p[i] * (t[i] + y[i]);
      }
      const far = norm / along;
      before = norm;
      norm = 0;
      for (let i = first; i < end; i++) {
        x[i] += far * t[i];
        residual[i] -= far * (t[i] + y[i]);
        norm += residual[i] * residual[i];
      }
    }
    if (!(norm <= (useCg ? Infinity : least)))
      throw new DataError("UltrasoundConfidenceMapTransform: no solution was found; are beta and gamma far from their defaults?");
    return Float64Array.from(fixed, (kind, i) => (kind === 0 ? x[first + i] * scale[first + i] : kind === 1 ? 1 : 0));
  }
}

/** Weights of the edges from each pixel to its later neighbors, 0 where there is none. */
function weightsOf(image: Float64Array, width: number, beta: number, gamma: number): Float64Array[] {
  const height = image.length / width;
  const each = (visit: (k: number, i: number, there: number) => void): void =>
    steps.forEach(([dx, dy], k) => {
      for (let y = 0; y < height - dy; y++)
        for (let x = Math.max(0, -dx); x < width - Math.max(0, dx); x++) visit(k, y * width + x, (y + dy) * width + x + dx);
    });
  const out = steps.map(() => new Float64Array(image.length));
  let most = 0;
  each((k, i, there) => (most = Math.max(most, (out[k][i] = Math.abs(image[i] - image[there])))));
  // The diagonal of the matrix counts too, with 0 and as a step that is vertical.
  let [low, high] = [0, 0];
  each((k, i) => {
    const v = (out[k][i] = out[k][i] / (most + epsilon) + (k === 0 ? 0 : gamma));
    low = Math.min(low, v);
    high = Math.max(high, v);
  });
  each((k, i) => (out[k][i] = Math.exp((-beta * (out[k][i] - low)) / (high - low + epsilon)) + 1e-5));
  return out;
}
