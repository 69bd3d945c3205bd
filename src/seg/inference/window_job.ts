/** @file What is to be done for an image: its windows and how they are batched, what of it is in memory at a time, and how much that takes. */

import { type DType, sizeOf } from "../../host/array.ts";
import { OutOfMemoryError, ShapeError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import { axisStarts, perAxis } from "./sliding_window.ts";
import { compileWindowKernels } from "./window_kernels.ts";
import { resultBytes, sumParts } from "./window_memory.ts";
import type { WindowNetworks } from "./window_networks.ts";
import { defaultMaxBytes, type DeviceWindowsOptions, type WindowRun } from "./window_options.ts";
import { type Size3, windowLayout, type WindowLayout } from "./window_plan.ts";
import { windowPoses } from "./window_poses.ts";

interface Demand {
  /** The image's size with its padding. */
  readonly padded: readonly number[];
  readonly roi: readonly number[];
  readonly starts: readonly (readonly number[])[];
  /** Windows of a batch `[B, C, ...roi]`. */
  readonly shape: readonly number[];
  readonly run: WindowRun;
}

interface Laid {
  readonly layout: WindowLayout;
  readonly classes: number;
  readonly outputs: DType;
  readonly networkBytes: number;
  /** Batches at the ends of stages are as large as the others, and what is too much of them is left alone. */
  readonly filled: boolean;
}

/** An image's windows. */
export interface WindowJob extends Laid, Pick<Demand, "shape" | "roi"> {}

/** Plans jobs for networks. */
export class WindowJobs {
  private readonly device: Device;
  private readonly networks: WindowNetworks;
  private readonly options: DeviceWindowsOptions;

  constructor(device: Device, networks: WindowNetworks, options: DeviceWindowsOptions) {
    this.device = device;
    this.networks = networks;
    this.options = options;
  }

  /** @throws ShapeError, ConfigError for options that do not fit the image; OutOfMemoryError */
  async plan([channels, ...size]: readonly number[], run: WindowRun): Promise<WindowJob> {
    if (size.length < 1 || size.length > 3) {
      throw new ShapeError(
        `sliding window: the image is [${[channels, ...size]}]; expected [C, ...spatial] with one to three spatial axes`,
      );
    }
    const { swBatchSize = 1, overlap = 0.25, scan } = this.options;
    const { decision, scores } = run;
    const roi = perAxis("roiSize", this.options.roiSize, size.length).map((r, i) => (r > 0 ? r : size[i]));
    windowPoses(this.options, roi); // throws for axes that do not fit
    const padded = size.map((s, i) => Math.max(s, roi[i]));
    const starts = scan ? scan(padded, roi) : axisStarts(padded, roi, overlap);
    const shape = [
      Math.min(
        swBatchSize,
        starts.reduce((n, s) => n * s.length, 1),
      ),
      channels,
      ...roi,
    ];
    const demand = { padded, roi, starts, shape, run };
    const whole = await this.layout(demand, [shape[0]]);
    const job = await this.exact(demand, whole);
    const [columns, halfSums] = [padded.at(-1)!, this.options.sums === "f16"];
    const { layout, classes, outputs } = job;
    await compileWindowKernels(this.device, { layout, columns, classes, outputs, decision, scores, halfSums });
    return { ...job, shape, roi };
  }

  /** The layout for batches that may be smaller at the ends of stages, if there is memory for their plans too; else these are filled up. */
  private async exact(demand: Demand, whole: Laid): Promise<Laid> {
    let found = whole;
    for (let sizes = new Set([demand.shape[0]]); ;) {
      const known = sizes.size;
      sizes = new Set([...sizes, ...batchSizes(found.layout, demand.shape[0])]);
      if (sizes.size === known) return { ...found, filled: false };
      try {
        found = await this.layout(demand, sizes);
      } catch (error) {
        if (error instanceof OutOfMemoryError) return whole;
        throw error;
      }
    }
  }

  private async layout({ padded, roi, starts, shape, run }: Demand, batches: Iterable<number>): Promise<Laid> {
    const { maxBytes = defaultMaxBytes } = this.options;
    const { decision, scores } = run;
    const { bytes, shape: made, dtype: outputs } = await this.networks.plan(shape.slice(1), batches, maxBytes);
    const classes = made[1];
    const networkBytes = bytes + this.windowBytes(shape, classes);
    const layout = windowLayout({
      size: lifted(padded, 1),
      roi: lifted(roi, 1),
      starts: [...[[0], [0]].slice(roi.length - 1), ...starts],
      channels: shape[1],
      sums: classes + (scores ? 1 : 0),
      resultBytes: (plane, planes) => {
        const parts = sumParts(this.device, classes, plane * planes).length;
        return resultBytes(plane, planes, { classes, decision, scores, parts });
      },
      maxBytes: maxBytes - networkBytes,
      maxBinding: this.device.maxBindingSize,
    });
    return { layout, classes, outputs, networkBytes, filled: true };
  }

  /** Bytes of a batch of windows on the way to the networks, of their weights, and of what mirrored ones are added up in. */
  private windowBytes(shape: readonly number[], classes: number): number {
    const [batch, , ...roi] = shape;
    const merged = this.options.sums === "f16" && this.passesOf(roi) > 1 ? batch * classes + 1 : 0;
    return 4 * (sizeOf(shape) + (1 + merged) * sizeOf(roi));
  }

  /** How often a window is predicted. */
  passesOf(roi: readonly number[]): number {
    return this.networks.steps.length * windowPoses(this.options, roi).length;
  }
}

/** The last of three axes, those before of size `fill`. */
export const lifted = (list: readonly number[], fill: number): Size3 =>
  [...new Array<number>(3 - list.length).fill(fill), ...list] as unknown as Size3;

/** How many windows batches have. */
function batchSizes({ bands }: WindowLayout, most: number): number[] {
  const counts = bands.flatMap((b) => b.stages.map((s) => s.starts.length));
  return counts.flatMap((n) => [...(n >= most ? [most] : []), ...(n % most > 0 ? [n % most] : [])]);
}
