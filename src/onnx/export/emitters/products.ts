/** @file Linear maps along the spatial axes as products with matrices: what ONNX has no operator for. */

import type { AxisMap } from "../../../kernels/resample.ts";
import type { Emission } from "../emission.ts";

/** Any linear maps along the spatial axes, as products with matrices. */
export function products(e: Emission, maps: readonly (AxisMap | undefined)[]): string {
  const { builder } = e;
  return maps.reduce((x, map, i) => {
    if (!map) return x;
    const [rows, columns] = [map.rows.length, map.from];
    const data = new Float32Array(columns * rows);
    map.rows.forEach(({ start, weights }, o) => weights.forEach((w, k) => (data[(start + k) * rows + o] = w)));
    const matrix = builder.constant({ kind: "float", data, shape: [columns, rows] });
    const axis = i + 2;
    const swapped = Array.from({ length: e.result.rank }, (_, k) =>
      k === axis ? e.result.rank - 1 : k === e.result.rank - 1 ? axis : k,
    );
    const last = axis === e.result.rank - 1;
    const turned = last ? x : builder.node("Transpose", [x], { perm: swapped });
    const y = builder.node("MatMul", [turned, matrix]);
    return last ? y : builder.node("Transpose", [y], { perm: swapped });
  }, e.inputs[0]!);
}
