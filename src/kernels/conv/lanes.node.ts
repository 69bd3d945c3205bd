/** @file Node's half of `#lanes`: convolutions for software adapters whose subgroups have eight lanes: by rows, of one tap, and by Fourier transforms. */

export { pointShader } from "../shaders/conv/point.gen.ts";
export { rowsShader } from "../shaders/conv/rows.gen.ts";
export { THREADS as WEIGHT_THREADS, weightGradientRowsShader } from "../shaders/conv/weight_gradient_rows.gen.ts";
export { gatherFourier, weightGradientFourier } from "./fourier.ts";
export { fourierLengths, payingLengths } from "./fourier_lengths.ts";
export { hasPoint, hasPointWeight, pointGrid, pointTile, pointWeightGradient } from "./point.ts";
export { hasRows, hasWeightRows, packRows, rowsGrid, rowsTile, weightRows } from "./rows.ts";
