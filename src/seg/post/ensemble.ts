/** @file One volume of the predictions of several models: of labels by vote, of probabilities by mean, and of region masks by their order. */
import { expectArguments } from "../../host/kinds.ts";
import { gridDifference } from "../../data/folders/join_case.ts";
import { MeanEnsemble, type NestedNumbers } from "../../data/transforms/post/ensemble.ts";
import { type Volume, withGeometryOf } from "../../data/volume.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import { emptyLike } from "../../host/strided.ts";

/** @throws DataError, ShapeError unless all lie on one grid */
function expectOneGrid(op: string, volumes: readonly Volume[]): Volume {
  expectArguments(op, "volumes", { volumes });
  const [first, ...others] = volumes;
  if (!first) throw new ShapeError(`${op}: expected at least one volume, got none`);
  for (const other of others) {
    if (other.shape.join() !== first.shape.join())
      throw new ShapeError(`${op}: volumes must have one shape, got [${first.shape}] and [${other.shape}]`);
    const apart = gridDifference({ name: "volume", ...other }, { name: "first volume", ...first });
    if (apart) throw new DataError(`${op}: ${apart}`);
  }
  return first;
}

/**
 * The mean of the probabilities or logits of several models, in the geometry of the first.
 * @param volumes `[C, x, y, z]` on one grid
 * @param weights of the models, or of models and channels; see `MeanEnsemble`
 * @throws ShapeError, DataError for volumes on other grids, DTypeError for integers
 */
export function meanOfVolumes(volumes: readonly Volume[], weights?: NestedNumbers): Volume {
  const first = expectOneGrid("meanOfVolumes", volumes);
  return withGeometryOf(first, new MeanEnsemble({ weights: weights ?? null }).apply(volumes));
}

/**
 * The label that most of several label maps have at each voxel, of equally frequent ones the least, in the geometry of the first and the element type of
 * the first that has room for all of them. Labels may be any numbers.
 * @param volumes `[1, x, y, z]` on one grid
 * @throws ShapeError, DataError for volumes on other grids
 */
export function voteOfLabels(volumes: readonly Volume[]): Volume {
  const first = expectOneGrid("voteOfLabels", volumes);
  const maps = volumes.map((v) => v.data);
  const oneType = maps.every(({ constructor }) => constructor === first.data.constructor);
  const out = oneType ? emptyLike(first.data, first.data.length) : new Float64Array(first.data.length);
  for (let i = 0; i < out.length; i++) out[i] = mostFrequent(maps, i);
  return withGeometryOf(first, { data: oneType ? out : withRoomFor(out, maps), shape: first.shape });
}

/** The values in the first element type of the maps that keeps them. */
function withRoomFor(values: TypedArray, maps: readonly TypedArray[]): TypedArray {
  for (const map of maps) {
    const own = emptyLike(map, values.length);
    own.set(values);
    if (values.every((v, i) => own[i] === v)) return own;
  }
  return values;
}

function mostFrequent(maps: readonly TypedArray[], i: number): number {
  let best = maps[0][i];
  let most = 0;
  for (let a = 0; a < maps.length && most <= maps.length / 2; a++) {
    const label = maps[a][i];
    let votes = 0;
    for (let b = 0; b < maps.length; b++) votes += Number(maps[b][i] === label);
    if (votes > most || (votes === most && label < best)) [best, most] = [label, votes];
  }
  return best;
}

/**
 * A label map of region masks: the regions are written in order, each over those before, with the values of nnU-Net's `regions_class_order`.
 * @param regions `[regions, …]`, a region where its value exceeds ½
 * @param order the value that each region writes
 * @returns `[1, …]`
 * @throws ConfigError unless there is a value for each region, a whole number of 32 bits
 */
export function regionsToLabels(regions: HostArray, order: readonly number[]): HostArray<Int32Array> {
  expectArguments("regionsToLabels", "array", { regions });
  expectArguments("regionsToLabels", "numbers", { order });
  const [count, ...shape] = regions.shape;
  if (count !== order.length)
    throw new ConfigError(`regionsToLabels: ${order.length} values for ${count} regions; give one for each`);
  for (const value of order)
    if (value !== (value | 0)) throw new ConfigError(`regionsToLabels: the value ${value} is no whole number of 32 bits`);
  const voxels = regions.data.length / count;
  const data = new Int32Array(voxels);
  order.forEach((value, r) => {
    for (let v = 0; v < voxels; v++) if (regions.data[r * voxels + v] > 0.5) data[v] = value;
  });
  return { data, shape: [1, ...shape] };
}
