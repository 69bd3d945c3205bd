/**
 * @file Synthetic images of discs and balls with their label maps: test and tutorial data without a patient. Bit-equal to MONAI's
 * `create_test_image_2d/3d` for the same random state.
 */
import { expectOptions } from "../host/options.ts";
import { ConfigError } from "../host/errors.ts";
import type { HostArray } from "../host/array.ts";
import { extent } from "../host/stats.ts";
import { RandomState, type RandomSource } from "../host/random/numpy.ts";

/** What is drawn, see MONAI's `create_test_image_2d`. */
export interface TestImageOptions {
  /** Discs (balls) drawn, later ones over earlier. Default 12. */
  readonly numObjs?: number;
  /** Radii are integers in [radMin, radMax), voxels. Default 30. */
  readonly radMax?: number;
  /** Default 5. */
  readonly radMin?: number;
  /** Noise is uniform in [0, numSegClasses · noiseMax), applied as a maximum. Default 0. */
  readonly noiseMax?: number;
  /** Labels are 1 … numSegClasses, background 0. Default 5. */
  readonly numSegClasses?: number;
  /** Where to put a channel axis of size 1: first (0), last (-1), or none (undefined). */
  readonly channelDim?: number;
  /** Default: freshly seeded. */
  readonly randomState?: RandomSource;
}

/** A synthetic image with its label map, of one shape. */
export type TestImage = {
  /** Intensities scaled to [0, 1]. */
  readonly image: HostArray<Float32Array>;
  /** Class of each voxel, 0 for background. */
  readonly label: HostArray<Int32Array>;
}; // no interface: that would be no item of a dataset, for want of an index signature

/** A 2-D test image of `heightDim` × `widthDim` pixels; both must exceed 2 · radMax. @throws ConfigError on sizes that do not fit */
export function createTestImage2d(heightDim: number, widthDim: number, options: TestImageOptions = {}): TestImage {
  return createTestImage("createTestImage2d", [heightDim, widthDim], options);
}

/** A 3-D test image of `heightDim` × `widthDim` × `depth` voxels; all must exceed 2 · radMax. @throws ConfigError on sizes that do not fit */
export function createTestImage3d(heightDim: number, widthDim: number, depth: number, options: TestImageOptions = {}): TestImage {
  return createTestImage("createTestImage3d", [heightDim, widthDim, depth], options);
}

function createTestImage(op: string, size: readonly number[], options: TestImageOptions): TestImage {
  expectOptions(op, options, "numObjs radMax radMin noiseMax numSegClasses channelDim randomState");
  const { numObjs = 12, radMax = 30, radMin = 5, noiseMax = 0, numSegClasses = 5, channelDim } = options;
  const random = options.randomState ?? new RandomState();
  if (radMin < 1 || radMax <= radMin) {
    throw new ConfigError(`${op}: expected 1 <= radMin < radMax, got radMin ${radMin}, radMax ${radMax}`);
  }
  if (size.some((s) => !Number.isInteger(s) || s <= 2 * radMax)) {
    throw new ConfigError(
      `${op}: every size must be an integer above 2 * radMax = ${2 * radMax}, got ${size.join(" x ")}; lower radMax or enlarge the image`,
    );
  }
  if (channelDim !== undefined && ![0, -1, size.length].includes(channelDim)) {
    throw new ConfigError(`${op}: channelDim must be 0, -1, ${size.length} or undefined, got ${channelDim}`);
  }
  const [depth, height, width] = size.length === 2 ? [1, ...size] : size;
  const image = new Float64Array(depth * height * width);
  for (let n = 0; n < numObjs; n++) {
    // The order of the draws is MONAI's: center per axis, radius, value.
    const center = size.map((s) => random.randint(radMax, s - radMax));
    const radius = random.randint(radMin, radMax);
    const value = numSegClasses > 1 ? Math.ceil(random.rand() * numSegClasses) : random.rand() * 0.5 + 0.5;
    const [cz, cy, cx] = size.length === 2 ? [0, ...center] : center;
    for (let z = Math.max(cz - radius, 0); z <= Math.min(cz + radius, depth - 1); z++) {
      for (let y = cy - radius; y <= cy + radius; y++) {
        for (let x = cx - radius; x <= cx + radius; x++) {
          if ((z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= radius * radius) image[(z * height + y) * width + x] = value;
        }
      }
    }
  }
  const label = new Int32Array(image.length);
  for (let i = 0; i < image.length; i++) label[i] = Math.ceil(image[i]);
  // The noise is drawn even when it is zero, so that noiseMax does not change what comes after.
  const noiseRange = numSegClasses * noiseMax;
  const noisy = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) noisy[i] = Math.max(image[i], random.uniform(0, noiseRange));
  const shape = channelDim === undefined ? size : channelDim === 0 ? [1, ...size] : [...size, 1];
  return { image: { data: rescale(noisy), shape: [...shape] }, label: { data: label, shape: [...shape] } };
}

/** (x − min) / (max − min) in float32; a flat image becomes 0. In place. */
function rescale(x: Float32Array): Float32Array {
  const { min, max } = extent(x);
  const range = Math.fround(max - min);
  for (let i = 0; i < x.length; i++) x[i] = range === 0 ? 0 : Math.fround(x[i] - min) / range;
  return x;
}
