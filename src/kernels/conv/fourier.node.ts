/** @file Node's half of `#fourier`: convolutions by Fourier transforms, for software adapters. */

export { gatherFourier, weightGradientFourier } from "./fourier.ts";
export { fourierLengths, payingLengths } from "./fourier_lengths.ts";
