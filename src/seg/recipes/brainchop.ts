/**
 * @file What brainchop (https://github.com/neuroneural/brainchop) does to a head before its MeshNet models see it. The models themselves are
 * tfjs layers models: `readTfjs` and `layersModel`.
 */
import { expectArguments } from "../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";

/** Options of `brainchopInput`. */
export interface BrainchopInputOptions {
  /**
   * The model's `enableQuantileNorm`: scale the 5 % and 95 % quantiles to 0 and 1 instead of the least and largest value; default false. Nothing
   * is clipped.
   */
  readonly quantileNorm?: boolean;
  /** The model's `enableTranspose`: axes x, y, z instead of z, y, x; default true. */
  readonly transpose?: boolean;
}

/**
 * A volume as the input of a brainchop model.
 * @param volume `[nx, ny, nz]` or `[1, nx, ny, nz]`; the models were trained on heads conformed as FreeSurfer does: 256³ voxels of 1 mm
 * @returns `[1, 1, D, H, W]`: the volume's x, y, z, or z, y, x without `transpose`
 * @throws ShapeError for several channels, DataError for a constant volume or values that are not finite
 */
export function brainchopInput(volume: HostArray, options: BrainchopInputOptions = {}): HostArray<Float32Array> {
  expectOptions("brainchopInput", options, "quantileNorm transpose");
  expectArguments("brainchopInput", "array", { volume });
  const { quantileNorm = false, transpose = true } = options;
  const { data } = volume;
  const size = volume.shape.length === 4 && volume.shape[0] === 1 ? volume.shape.slice(1) : volume.shape;
  if (size.length !== 3) throw new ShapeError(`brainchopInput: expected [nx, ny, nz], got [${volume.shape.join(", ")}]`);
  const [low, high] = quantileNorm ? quantiles(data, 0.05, 0.95) : extremes(data);
  if (!(Number.isFinite(low) && high > low && Number.isFinite(high)))
    throw new DataError(
      `brainchopInput: intensities from ${low} to ${high} cannot be scaled; is the volume constant or not finite?`,
    );
  // Every step in float32, as TensorFlow.js does.
  const width = Math.fround(high - low);
  const scaled = new Float32Array(data.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = Math.fround(data[i] - low) / width;
  if (transpose) return { data: scaled, shape: [1, 1, ...size] };
  const [nx, ny, nz] = size;
  const turned = new Float32Array(scaled.length);
  for (let x = 0, i = 0; x < nx; x++)
    for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++, i++) turned[(z * ny + y) * nx + x] = scaled[i];
  return { data: turned, shape: [1, 1, nz, ny, nx] };
}

function extremes(data: HostArray["data"]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const v of data) {
    if (Number.isNaN(v)) return [NaN, NaN];
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}

/** The sorted values at ⌊n · lower⌋ and ⌈n · upper⌉ − 1. */
function quantiles(data: HostArray["data"], lower: number, upper: number): [number, number] {
  if (data.length === 0) throw new ConfigError("brainchopInput: the volume is empty");
  const sorted = new Float32Array(data).sort();
  return [sorted[Math.floor(sorted.length * lower)], sorted[Math.ceil(sorted.length * upper) - 1]];
}
