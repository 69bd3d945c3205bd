/** @file QuickNAT's views as a recipe's segmenter. */

import { expectCoding } from "../post/expect_coding.ts";
import { expectFields } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import type { OutputCoding } from "../post/output_coding.ts";
import { QuickNatViews, type QuickNatViewsOptions, type ViewNetworks } from "./quicknat_views.ts";
import type { SampledLabels, SegmentHooks, Segmenter } from "./segmenter.ts";

/** Options of `ViewsSegmenter`. */
export interface ViewsSegmenterOptions extends QuickNatViewsOptions {
  /** What the networks' outputs mean: classes, of which a voxel has one. */
  readonly outputs: OutputCoding;
}

/** Segments images by the views of the networks that it is given, under the names COR, AXI and SAG. */
export class ViewsSegmenter implements Segmenter {
  /** Absent where views add up logits, whose variance says little: then draws vote. */
  readonly sample: Segmenter["sample"];
  private readonly views: QuickNatViews;
  private readonly outputs: OutputCoding;

  constructor(device: Device, networks: Readonly<Record<string, Module>>, given: ViewsSegmenterOptions) {
    expectFields("ViewsSegmenter", "options", given, {});
    const { outputs, ...options } = given;
    this.views = new QuickNatViews(device, networks as ViewNetworks, options);
    expectCoding("ViewsSegmenter", "options.outputs", outputs);
    this.outputs = outputs;
    this.sample = options.combine === "logits" ? undefined : (image, samples, hooks) => this.draw(image, samples, hooks ?? {});
  }

  async run(image: HostArray, hooks: SegmentHooks = {}): Promise<HostArray<Uint8Array | Int32Array>> {
    const { labels } = await this.views.predict(image, hooks);
    return this.outputs.valuesOf({ data: labels.data, shape: [1, ...labels.shape] });
  }

  dispose(): void {
    this.views.dispose();
  }

  private async draw(image: HostArray, samples: number, hooks: SegmentHooks): Promise<SampledLabels> {
    const found = await this.views.predictWithUncertainty(image, { ...hooks, samples, variance: true });
    const shape = [1, ...found.labels.shape];
    return {
      labels: this.outputs.valuesOf({ data: found.labels.data, shape }),
      structures: found.uncertainty,
      variance: { data: found.variance!.data, shape },
    };
  }
}
