/** @file The browser's half of `#fourier`: none, since the software adapter of browsers has no subgroups of eight lanes, and pages would load the shaders for nothing. */

import type * as node from "./fourier.node.ts";

export const fourierLengths: typeof node.fourierLengths = () => undefined;
export const payingLengths: typeof node.payingLengths = () => undefined;

const missing = (): never => {
  throw new Error("no lengths, so nothing calls this");
};
export const gatherFourier: typeof node.gatherFourier = missing;
export const weightGradientFourier: typeof node.weightGradientFourier = missing;
