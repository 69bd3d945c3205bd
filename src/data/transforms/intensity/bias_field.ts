/** @file `RandBiasField`: the smooth change of brightness over an MR image. */
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { exp, exponentialTables } from "../../../host/powers.ts";
import { lanesOf } from "../../../host/simd/chunks.ts";
import { field as fieldKernel } from "../../../host/simd/exponential.ts";
import { places, planeSize, rowSize } from "../../../host/simd/places.ts";
import { spatialShape } from "../../../host/strided.ts";
import { workingCopy } from "../shape/cast.ts";
import { MaybeTransform } from "../transform.ts";
import { finish } from "./arithmetic.ts";
import type { OutputType } from "./scale.ts";
import { allOptions } from "../options.ts";

/** The polynomial of `RandBiasField`. */
export interface RandBiasFieldOptions extends OutputType {
  /** Default 3. */
  readonly degree?: number;
  /** Coefficients are drawn from this range. Default [0, 0.1]. */
  readonly coeffRange?: readonly [number, number];
  /** Default 0.1. */
  readonly prob?: number;
}

/**
 * x · e^f, f a polynomial of the place in Legendre's terms of a total degree up to `degree`, with probability `prob` (default 0.1). After Sudre et al.,
 * Longitudinal segmentation of age-related white matter hyperintensities (2017). MONAI's `RandBiasField`.
 *
 * Shapes: `[C, …]` with two or three spatial axes, unchanged; all channels get one field.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...coeffRange, terms)`.
 * @throws ConfigError for a degree below 1, a `prob` outside 0 … 1, an unknown option and other than two or three spatial axes
 */
export class RandBiasField extends MaybeTransform {
  private readonly options: Required<RandBiasFieldOptions>;
  private coefficients: Float64Array = new Float64Array();

  constructor(options: RandBiasFieldOptions = {}) {
    const defaults = { degree: 3, coeffRange: [0, 0.1], dtype: "float32", prob: 0.1 } as const;
    const all = allOptions("RandBiasField", options, "degree:number coeffRange:sizes dtype:text prob:number", defaults);
    super("RandBiasField", all.prob);
    if (!(Number.isInteger(all.degree) && all.degree >= 1))
      throw new ConfigError(`RandBiasField: degree must be an integer from 1 up, got ${all.degree}`);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const { degree, coeffRange } = this.options;
    const terms = exponents("RandBiasField", degree, spatialShape("RandBiasField", x).length).length;
    this.coefficients = this.random.uniform(coeffRange[0], coeffRange[1], terms);
  }
  protected act(x: HostArray): HostArray {
    const { degree, dtype } = this.options;
    const spatial = spatialShape("RandBiasField", x);
    const terms = exponents("RandBiasField", degree, spatial.length);
    const curves = spatial.map((s) => legendre(degree, s));
    const data = workingCopy(x.data);
    multiplyField(data, spatial, terms, this.coefficients, curves, degree);
    return finish("RandBiasField", data, x, dtype);
  }
}

/** Exponents of the terms, in the order in which MONAI gives them their coefficients. */
function exponents(op: string, degree: number, dims: number): [number, number, number][] {
  const out: [number, number, number][] = [];
  if (dims === 2) {
    // NumPy's lower triangle: the degrees of the two axes are i and j ≤ i, so that their sum goes up to twice the degree.
    for (let i = 0; i <= degree; i++) for (let j = 0; j <= i; j++) out.push([0, i, j]);
  } else if (dims === 3) {
    for (let i = 0; i <= degree; i++)
      for (let j = 0; j <= degree - i; j++) for (let k = 0; k <= degree - i - j; k++) out.push([i, j, k]);
  } else throw new ConfigError(`${op}: expected two or three spatial axes, got ${dims}`);
  return out;
}

/** Legendre's polynomials of degree 0 … `degree` at `size` places from −1 to 1, one after the other. */
function legendre(degree: number, size: number): Float64Array[] {
  const out = Array.from({ length: degree + 1 }, () => new Float64Array(size));
  for (let i = 0; i < size; i++) {
    const x = Math.fround(size > 1 ? -1 + (2 / (size - 1)) * i : -1);
    out[0][i] = 1;
    out[1][i] = x;
    for (let n = 2; n <= degree; n++) out[n][i] = ((2 * n - 1) * x * out[n - 1][i] - (n - 1) * out[n - 2][i]) / n;
  }
  return out;
}

/** Multiplies every channel with the exponential of the field; along a line only the powers of the last axis are left to sum. */
function multiplyField(
  data: Float32Array | Float64Array,
  spatial: readonly number[],
  terms: readonly (readonly [number, number, number])[],
  coefficients: Float64Array,
  curves: readonly Float64Array[][],
  degree: number,
): void {
  const [rows, columns] = spatial.slice(-2);
  const planes = spatial.length === 3 ? spatial[0] : 1;
  const [px, py, pz] = spatial.length === 3 ? curves : [[new Float64Array([1])], ...curves];
  const size = sizeOf(spatial);
  const inLanes = data instanceof Float32Array ? fieldInLanes(data.length, columns, pz, coefficients) : undefined;
  const field = new Float64Array(columns);
  const along = new Float64Array(degree + 1);
  for (let i = 0, at = 0; i < planes; i++) {
    for (let j = 0; j < rows; j++, at += columns) {
      along.fill(0);
      terms.forEach(([a, b, c], t) => (along[c] += coefficients[t] * px[a][i] * py[b][j]));
      if (inLanes) {
        for (let start = at; start < data.length; start += size) inLanes(data as Float32Array, start, along);
        continue;
      }
      field.fill(along[0]);
      for (let n = 1; n <= degree; n++) {
        const [curve, factor] = [pz[n], along[n]];
        for (let k = 0; k < columns; k++) field[k] += factor * curve[k];
      }
      for (let k = 0; k < columns; k++) field[k] = exp(field[k]);
      for (let start = at; start < data.length; start += size) {
        for (let k = 0; k < columns; k++) data[start + k] *= field[k];
      }
    }
  }
}

const lanesFor = /* @__PURE__ */ lanesOf({ field: fieldKernel });

/** Multiplies a line by the exponential of a sum of curves in the WebAssembly kernels; undefined where there are none, or lines are too long or exponents too large. */
function fieldInLanes(
  length: number,
  columns: number,
  curves: readonly Float64Array[],
  coefficients: Float64Array,
): ((data: Float32Array, at: number, along: Float64Array) => void) | undefined {
  // Legendre's polynomials are at most 1.
  const most = coefficients.reduce((sum, c) => sum + Math.abs(c), 0);
  const pitch = 8 * (columns + 3);
  if (columns > rowSize || pitch * curves.length > 4 * planeSize || !(most < 700)) return undefined;
  const lanes = lanesFor(length);
  if (!lanes) return undefined;
  exponentialTables(lanes);
  const { kernels, memory } = lanes;
  curves.slice(1).forEach((curve, n) => new Float64Array(memory.buffer, places.plane + n * pitch, columns).set(curve));
  const terms = new Float64Array(memory.buffer, places.rows, curves.length);
  const line = new Float32Array(memory.buffer, places.columns, columns);
  return (data, at, along) => {
    terms.set(along);
    line.set(data.subarray(at, at + columns));
    kernels.field(places.columns, places.columns + 4 * columns, places.rows, places.rows + 8 * terms.length, places.plane, pitch);
    data.set(line, at);
  };
}
