/** @file Linear maps along any axes of a tensor. */

import { type AxisMap, resample, transposeMap } from "../../kernels/resample.ts";
import { sizeOf } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** One entry per axis; undefined for an axis that stays as it is. */
export type Maps = readonly (AxisMap | undefined)[];

/** `x` with its axes mapped. The last three are done together, as images; others one by one. */
export function applyMaps(x: Tensor, maps: Maps): Tensor {
  const split = Math.max(0, x.rank - 3);
  const tail = maps.slice(split);
  const shape = x.shape.map((n, i) => (i < split ? n : (maps[i]?.rows.length ?? n)));
  let y = resample("interpolate", x, tail, shape);
  for (let axis = 0; axis < split; axis++) {
    const map = maps[axis];
    if (!map) continue;
    const [outer, inner] = [sizeOf(y.shape.slice(0, axis)), sizeOf(y.shape.slice(axis + 1))];
    const flat = y.view([outer, y.shape[axis], inner]);
    const mapped = resample("interpolate", flat, [map, undefined], [outer, map.rows.length, inner]);
    const next = mapped.view(y.shape.with(axis, map.rows.length));
    for (const t of [flat, mapped, y]) t.dispose();
    y = next;
  }
  return y;
}

export const mapsGradient = (dy: Tensor, maps: Maps): Tensor =>
  applyMaps(
    dy,
    maps.map((map) => map && transposeMap(map)),
  );
