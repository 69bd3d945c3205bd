/** @file The browser's half of `#lanes`: none, since the software adapter of browsers has no subgroups of eight lanes, and pages would load the shaders for nothing. */

import type * as node from "./lanes.node.ts";

export const fourierLengths: typeof node.fourierLengths = () => undefined;
export const payingLengths: typeof node.payingLengths = () => undefined;
export const hasRows: typeof node.hasRows = () => false;
export const hasWeightRows: typeof node.hasWeightRows = () => false;
export const hasPoint: typeof node.hasPoint = () => false;
export const hasPointWeight: typeof node.hasPointWeight = () => false;
export const WEIGHT_THREADS: typeof node.WEIGHT_THREADS = 8;

const missing = (): never => {
  throw new Error("nothing of what software adapters need is here, nor asked for");
};
export const gatherFourier: typeof node.gatherFourier = missing;
export const weightGradientFourier: typeof node.weightGradientFourier = missing;
export const packRows: typeof node.packRows = missing;
export const rowsGrid: typeof node.rowsGrid = missing;
export const rowsTile: typeof node.rowsTile = missing;
export const weightRows: typeof node.weightRows = missing;
export const rowsShader: typeof node.rowsShader = missing;
export const pointGrid: typeof node.pointGrid = missing;
export const pointTile: typeof node.pointTile = missing;
export const pointWeightGradient: typeof node.pointWeightGradient = missing;
export const pointShader: typeof node.pointShader = missing;
export const weightGradientRowsShader: typeof node.weightGradientRowsShader = missing;
