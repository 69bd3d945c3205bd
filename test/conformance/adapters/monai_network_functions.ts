/** @file Functions of monai.networks.utils that are operations here. */
import { oneHot, pixelShuffle, pixelUnshuffle, type Tensor } from "../../../src/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, expectKnown } from "../format.ts";
import { device } from "../device.ts";

/** What the shape of `x` says too. */
const told = ["spatial_dims"];

const moved =
  (run: (x: Tensor, factor: number) => Tensor): Adapter =>
  async ({ op, args, inputs }) => {
    expectKnown(op, args, [...told, "scale_factor"]);
    const y = run((await device()).tensor(inputs.x as HostArray), args.scale_factor);
    return { data: await y.data(), shape: y.shape };
  };

export const adapters: Adapters = {
  "monai.networks.utils.one_hot": async ({ op, args, inputs }) => {
    expectKnown(op, args, ["num_classes", "dtype"]);
    const labels: HostArray = inputs.labels;
    const index = (await device()).tensor(labels);
    const y = oneHot(index, args.num_classes);
    return { data: await y.data(), shape: y.shape };
  },
  "monai.networks.utils.pixelshuffle": moved(pixelShuffle),
  "monai.networks.utils.pixelunshuffle": moved(pixelUnshuffle),
};
