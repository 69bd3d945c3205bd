/** @file Surfaces of labels and of probabilities in the patient's coordinates. */
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { inMillimeters, type Volume } from "../../data/volume.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { TypedArray } from "../../host/array.ts";
import { withDefaults } from "../../host/defaults.ts";
import { marchingCubes } from "../../host/grid/marching_cubes.ts";
import { type Mesh, smoothMesh, transformMesh } from "../../host/grid/mesh.ts";
import { showShape } from "../../host/shape.ts";

/** Which surface `surfaceOf` makes. */
export interface SurfaceOptions {
  /** Label values that together are the object. Default: the voxels are a probability, cut at `level`. */
  readonly labels?: number | readonly number[] | null;
  /** Value at which a probability is cut. Default 0.5. */
  readonly level?: number;
  /** Channel of the volume. Default 0. */
  readonly channel?: number;
  /** Pairs of Taubin's smoothing steps, 0 for none. Default 0. */
  readonly smooth?: number;
}

/**
 * The closed surface of a label or of a probability by marching cubes, in millimeters (RAS, by the volume's affine and its unit), normals outwards. Labels are cut half
 * way between voxel centers, so that the surface has the steps of the voxels until it is smoothed. `volume` is `[C, x, y, z]`.
 * @throws DataError if nothing is inside; ShapeError for a channel that there is not; ConfigError for an unknown option or a level that is no number
 */
export function surfaceOf(volume: Volume, options: SurfaceOptions = {}): Mesh {
  expectOptions("surfaceOf", options, "labels level channel smooth");
  expectArguments("surfaceOf", "volume", { volume });
  const { labels, level, channel, smooth } = withDefaults("surfaceOf", options, {
    labels: null,
    level: 0.5,
    channel: 0,
    smooth: 0,
  });
  if (!Number.isFinite(level)) throw new ConfigError(`surfaceOf: level must be a number, got ${String(level)}`);
  const [channels, ...shape] = volume.shape;
  if (!Number.isInteger(channel) || channel < 0 || channel >= channels)
    throw new ShapeError(`surfaceOf: the volume of shape ${showShape(volume.shape)} has no channel ${channel}`);
  const voxels = volume.data.length / channels;
  const plane = volume.data.subarray(channel * voxels, (channel + 1) * voxels);
  const wanted = labels === null ? undefined : new Set([labels].flat() as number[]);
  const inside = wanted ? (v: number) => wanted.has(v) : (v: number) => v > level;
  const box = boxOf(plane, shape, inside);
  if (!box) {
    const what = wanted ? `label ${[...wanted].join(", ")}` : `value above ${level}`;
    throw new DataError(`surfaceOf: no voxel has a ${what}${volume.meta.source ? ` (${volume.meta.source})` : ""}`);
  }
  const field = cropped(plane, shape, box, wanted);
  const mesh = marchingCubes(field.data, field.shape, wanted ? 0.5 : level);
  shift(mesh.vertices, field.start);
  return transformMesh(smooth > 0 ? smoothMesh(mesh, { iterations: smooth }) : mesh, inMillimeters(volume).affine);
}

/** First index and the one behind the last along each axis. */
type Box = readonly (readonly [number, number])[];

function boxOf(data: TypedArray, shape: readonly number[], inside: (v: number) => boolean): Box | undefined {
  const low = shape.slice();
  const high = shape.map(() => 0);
  // One answer per stretch of equal values: most voxels are like the one before.
  let last = NaN;
  let here = false;
  for (let x = 0, i = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let z = 0; z < shape[2]; z++, i++) {
        if (data[i] !== last) here = inside((last = data[i]));
        if (!here) continue;
        if (x < low[0]) low[0] = x;
        if (y < low[1]) low[1] = y;
        if (z < low[2]) low[2] = z;
        if (x >= high[0]) high[0] = x + 1;
        if (y >= high[1]) high[1] = y + 1;
        if (z >= high[2]) high[2] = z + 1;
      }
    }
  }
  return high[0] === 0 ? undefined : low.map((l, axis) => [l, high[axis]] as const);
}

/** The box with one voxel around it, where the volume has one; of labels 1 inside and 0 elsewhere. */
function cropped(data: TypedArray, shape: readonly number[], box: Box, labels: ReadonlySet<number> | undefined) {
  const start = box.map(([low]) => Math.max(0, low - 1));
  const size = box.map(([, high], axis) => Math.min(shape[axis], high + 1) - start[axis]);
  const out = labels ? new Uint8Array(size[0] * size[1] * size[2]) : new Float32Array(size[0] * size[1] * size[2]);
  let to = 0;
  for (let x = 0; x < size[0]; x++) {
    for (let y = 0; y < size[1]; y++) {
      const from = ((start[0] + x) * shape[1] + start[1] + y) * shape[2] + start[2];
      for (let z = 0; z < size[2]; z++) out[to++] = labels ? Number(labels.has(data[from + z])) : data[from + z];
    }
  }
  return { data: out, shape: size, start };
}

function shift(vertices: Float32Array, by: readonly number[]): void {
  for (let i = 0; i < vertices.length; i++) vertices[i] += by[i % 3];
}
