/**
 * @file nnU-Net's measure of the memory that training takes: elements of the outputs of all convolutions of a network, for one patch. As
 * `compute_conv_feature_map_size` of dynamic-network-architectures.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { sizeOf } from "../../host/array.ts";

/** The numbers of a network that decide it. */
export interface NetworkSizes {
  /** Channels of each stage, highest resolution first. */
  readonly featuresPerStage: readonly number[];
  /** Per stage and axis. */
  readonly strides: readonly (readonly number[])[];
  /** Convolutions, or residual blocks, per stage. */
  readonly blocksPerStage: readonly number[];
  /** Convolutions of each decoder stage, lowest resolution first. */
  readonly convsPerStageDecoder: readonly number[];
  /** Channels of the output. */
  readonly numClasses: number;
  /** A residual encoder (with a stem) in place of plain convolutions. */
  readonly residual: boolean;
  /** Default false. */
  readonly deepSupervision?: boolean;
}

const floorDivide = (size: readonly number[], by: readonly number[]): number[] => size.map((n, a) => Math.floor(n / by[a]));

/** Elements of the outputs of all convolutions for one patch. @param patchSize whole numbers per axis */
export function computeConvFeatureMapSize(network: NetworkSizes, patchSize: readonly number[]): number {
  expectFields("computeConvFeatureMapSize", "network", network, {
    featuresPerStage: "numbers",
    strides: "list",
    blocksPerStage: "numbers",
    convsPerStageDecoder: "numbers",
  });
  expectArguments("computeConvFeatureMapSize", "numbers", { patchSize });
  return encoderSize(network, patchSize) + decoderSize(network, patchSize);
}

function encoderSize(network: NetworkSizes, patchSize: readonly number[]): number {
  const { featuresPerStage: features, strides, blocksPerStage, residual } = network;
  let size: readonly number[] = patchSize;
  // The stem.
  let sum = residual ? features[0] * sizeOf(size) : 0;
  strides.forEach((stride, s) => {
    const after = floorDivide(size, stride);
    const map = features[s] * sizeOf(after);
    if (residual) {
      const before = features[Math.max(0, s - 1)];
      const projected = before !== features[s] || after.some((n, a) => n !== size[a]);
      sum += map * (2 * blocksPerStage[s] + (projected ? 1 : 0));
    } else sum += map * blocksPerStage[s];
    size = after;
  });
  return sum;
}

function decoderSize(network: NetworkSizes, patchSize: readonly number[]): number {
  const { featuresPerStage: features, strides, convsPerStageDecoder, numClasses, deepSupervision = false } = network;
  const levels = strides.length - 1;
  let size: readonly number[] = patchSize;
  let sum = 0;
  for (let s = 0; s < levels; s++) {
    size = floorDivide(size, strides[s]);
    // Decoder stages are counted from the bottom; each has a transposed convolution, and the last a head.
    const maps = features[s] * (convsPerStageDecoder[levels - 1 - s] + 1);
    sum += sizeOf(size) * (maps + (deepSupervision || s === 0 ? numClasses : 0));
  }
  return sum;
}
