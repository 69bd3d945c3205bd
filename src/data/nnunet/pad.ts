/** @file acvl_utils' `pad_nd_image`: an image grown around its middle to a least shape, and to multiples. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { type NumpyPadMode, padAxes } from "../transforms/pad/pad_axes.ts";

/** How far `padNdImage` pads. */
export interface PadNdOptions {
  /** Least size of the last axes; default the image's. */
  readonly newShape?: readonly number[];
  /** Default "constant". */
  readonly mode?: NumpyPadMode;
  /** Value of mode "constant"; default 0. */
  readonly constantValues?: number;
  /** What the last axes' sizes (one number: all axes') become multiples of. */
  readonly shapeMustBeDivisibleBy?: number | readonly number[];
}

/** A padded image and where the given one lies in it. */
export interface PaddedImage {
  /** The padded image, with the axes it had. Its shape is the wanted one, or larger where the image is. */
  readonly image: HostArray;
  /** First and last + 1 position per axis. */
  readonly slicer: readonly (readonly [number, number])[];
}

/** Fills missing entries in front. */
function lastAxes(op: string, given: readonly number[], rank: number, missing: (axis: number) => number): number[] {
  if (given.length > rank) throw new ConfigError(`${op}: [${given}] has more entries than the image has axes (${rank})`);
  return Array.from({ length: rank }, (_, a) => (a < rank - given.length ? missing(a) : given[a - rank + given.length]));
}

/**
 * Pads an array of any rank so that it stands in the middle, the odd voxel behind it. Axes that are larger stay as they are.
 * @throws ConfigError without a shape or a divisor, and for more entries than axes
 */
export function padNdImage(x: HostArray, options: PadNdOptions): PaddedImage {
  expectOptions("padNdImage", options, "newShape:numbers? mode constantValues:pairs shapeMustBeDivisibleBy:spread?");
  expectArguments("padNdImage", "array", { x });
  const { newShape, mode = "constant", constantValues = 0, shapeMustBeDivisibleBy } = options;
  if (newShape === undefined && shapeMustBeDivisibleBy === undefined)
    throw new ConfigError(
      "padNdImage: neither newShape nor shapeMustBeDivisibleBy is given; one of them says how large the image becomes",
    );
  const rank = x.shape.length;
  const least = lastAxes("padNdImage: newShape", newShape ?? x.shape, rank, (a) => x.shape[a]);
  const by = shapeMustBeDivisibleBy ?? 1;
  const divisors =
    typeof by === "number" ? x.shape.map(() => by) : lastAxes("padNdImage: shapeMustBeDivisibleBy", by, rank, () => 1);
  const width = x.shape.map((n, a) => {
    const missing = Math.ceil(Math.max(n, least[a]) / divisors[a]) * divisors[a] - n;
    return [missing >> 1, missing - (missing >> 1)] as const;
  });
  const channelFirst = { data: x.data, shape: [1, ...x.shape] };
  const { data, shape } = padAxes("padNdImage", channelFirst, width, { mode, value: constantValues });
  return { image: { data, shape: shape.slice(1) }, slicer: width.map(([before], a) => [before, before + x.shape[a]]) };
}
