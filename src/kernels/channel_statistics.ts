/** @file What is known of each channel of an image as a whole, in one pass over it. No gradients. */

import { sizeOf } from "../host/array.ts";
import { write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { lanes } from "./lib/occupancy.ts";
import { grid, lines } from "./lib/workgroups.ts";
import { shareShader } from "./shaders/augment/share.gen.ts";
import { statisticsShader } from "./shaders/augment/statistics.gen.ts";

/** Of channels. */
export interface ChannelStatistics {
  /** `[N, C, 3]`: mean, least and largest value. */
  readonly statistics: Tensor;
  /** `[N, C, 1]`: the standard deviation of the population. */
  readonly deviation: Tensor;
}

/** Statistics of each channel of `[N, C, spatial…]`, none of which is empty. */
export function channelStatistics(x: Tensor): ChannelStatistics {
  const { device } = x;
  const [n, c] = x.shape;
  const plane = sizeOf(x.shape.slice(2));
  // As many sums of as many elements, so that neither is long; a GPU needs more threads.
  const shares = Math.min(plane, Math.ceil(Math.sqrt(plane)) * (device.software ? 1 : 4));
  const { threads, workgroups } = lines(device, [shares, 1, n * c], 64);
  const found = device.empty([n, c, shares, 4]);
  const [statistics, deviation] = [device.empty([n, c, 3]), device.empty([n, c, 1])];
  if (x.size > 0) {
    device.run(shareShader({ params: { threads, plane }, bind: { x, y: write(found) }, workgroups }));
    device.run(
      statisticsShader({
        consts: { LANES: lanes(device) },
        params: { channels: n * c, plane, shares },
        bind: { found, statistics: write(statistics), deviation: write(deviation) },
        workgroups: grid(device, "statistics", n * c, 1),
      }),
    );
  }
  found.dispose();
  return { statistics, deviation };
}
