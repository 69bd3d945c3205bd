/** @file What PyTorch refuses, by the name of the case: the same call must be refused here. */
import * as v from "../../../src/index.ts";
import { type Device, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { NotCovered, type Adapters } from "../format.ts";
import { device } from "../device.ts";

/** Makes a tensor of zeros. */
type Zeros = (...shape: number[]) => Tensor;

const single = "(?:1|one|single)_?(?:elem|element|value|voxel|pixel|spatial)";

/** Words of the case's name in this order, and a call of that kind. */
const refused: readonly (readonly [RegExp, (z: Zeros, dev: Device) => unknown])[] = [
  [new RegExp(`instance_?norm.*${single}`), (z) => v.instanceNorm(z(1, 3, 1, 1))],
  [new RegExp(`batch_?norm.*${single}.*train|batch_?norm.*train.*${single}`), (z) => v.batchNorm(z(1, 3, 1, 1))],
  [/batch_?norm.*(channel|shape|weight|size)/, (z) => v.batchNorm(z(2, 3, 4, 4), z(2), z(2))],
  [/group_?norm.*(divis|channel|group)/, (z) => v.groupNorm(z(1, 3, 4, 4), 2)],
  [/layer_?norm.*shape/, (z) => v.layerNorm(z(2, 3, 4), [3])],
  [/conv_?transpose.*output_?padding/, (z) => v.convTranspose(z(1, 2, 4, 4), z(2, 2, 3, 3), undefined, { outputPadding: 1 })],
  [/conv_?transpose.*(channel|shape|mismatch)/, (z) => v.convTranspose(z(1, 2, 4, 4), z(3, 2, 3, 3))],
  [/conv.*group/, (z) => v.conv(z(1, 3, 4, 4), z(4, 1, 3, 3), undefined, { groups: 2 })],
  [
    /conv.*same.*stride|conv.*stride.*same/,
    (z) => v.conv(z(1, 2, 4, 4), z(2, 2, 3, 3), undefined, { padding: "same", stride: 2 }),
  ],
  [/conv.*stride/, (z) => v.conv(z(1, 2, 4, 4), z(2, 2, 3, 3), undefined, { stride: 0 })],
  [/conv.*negative.*pad|conv.*pad.*negative/, (z) => v.conv(z(1, 2, 4, 4), z(2, 2, 3, 3), undefined, { padding: -1 })],
  [/conv.*(kernel|small|large|big)/, (z) => v.conv(z(1, 2, 2, 2), z(2, 2, 3, 3))],
  [/conv.*bias/, (z) => v.conv(z(1, 2, 4, 4), z(2, 2, 3, 3), z(3))],
  [/conv.*(dim|rank|1d|3d)/, (z) => v.conv(z(1, 2, 4, 4), z(2, 2, 3))],
  [/conv.*(channel|shape|mismatch)/, (z) => v.conv(z(1, 2, 4, 4), z(2, 3, 3, 3))],
  [
    /unpool.*(size|shape)/,
    (z, dev) => v.maxUnpool(z(1, 1, 2, 2), indices(dev, 1, 1, 2, 2), { kernelSize: 2, outputSize: [9, 9] }),
  ],
  [/pool.*pad/, (z) => v.maxPool(z(1, 1, 4, 4), { kernelSize: 2, padding: 2 })],
  [/pool.*stride/, (z) => v.maxPool(z(1, 1, 4, 4), { kernelSize: 2, stride: 0 })],
  [/pool.*(small|large|big|kernel|size|output)/, (z) => v.maxPool(z(1, 1, 2, 2), { kernelSize: 3 })],
  [/interpolate.*both|interpolate.*size_and_scale/, (z) => v.interpolate(z(1, 1, 4, 4), { size: 2, scaleFactor: 2 })],
  [/interpolate.*(no_size|neither|none|missing)/, (z) => v.interpolate(z(1, 1, 4, 4), {})],
  [/interpolate.*align/, (z) => v.interpolate(z(1, 1, 4, 4), { size: 2, mode: "nearest", alignCorners: true })],
  [/interpolate.*(dim|mode|linear|cubic)/, (z) => v.interpolate(z(1, 1, 4, 4), { size: 2, mode: "trilinear" })],
  [/interpolate.*(size|scale)/, (z) => v.interpolate(z(1, 1, 4, 4), { size: [2, 2, 2] })],
  [/grid_?sample.*cubic/, (z) => v.gridSample(z(1, 1, 2, 2, 2), z(1, 2, 2, 2, 3), { mode: "bicubic" })],
  [/grid_?sample.*mode/, (z) => v.gridSample(z(1, 1, 2, 2), z(1, 2, 2, 2), { mode: "cubic" as never })],
  [/grid_?sample/, (z) => v.gridSample(z(1, 1, 2, 2), z(2, 2, 2, 3))],
  [/affine_?grid/, (z) => v.affineGrid(z(1, 2, 2), [1, 1, 4, 4])],
  [/pad.*circular|circular.*pad/, (z) => v.pad(z(1, 1, 2, 2), [3, 0, 0, 0], { mode: "circular" })],
  [/pad.*reflect|reflect.*pad/, (z) => v.pad(z(1, 1, 2, 2), [2, 0, 0, 0], { mode: "reflect" })],
  [/pad.*mode/, (z) => v.pad(z(1, 1, 2, 2), [1, 1], { mode: "mirror" as never })],
  [/pad.*(negative|crop)/, (z) => v.pad(z(1, 1, 2, 2), [-2, -1])],
  [/pad.*(odd|length)/, (z) => v.pad(z(1, 1, 2, 2), [1])],
  [/prelu/, (z) => v.prelu(z(1, 3, 2), z(2))],
  [/pixel_?unshuffle/, (z) => v.pixelUnshuffle(z(1, 1, 3, 3), 2)],
  [/pixel_?shuffle/, (z) => v.pixelShuffle(z(1, 3, 2, 2), 2)],
  [/cross_?entropy.*weight/, (z) => nn.crossEntropyLoss(z(2, 3), z(2), { weight: z(2) })],
  [/cross_?entropy.*smooth/, (z) => nn.crossEntropyLoss(z(2, 3), z(2), { labelSmoothing: 1.5 })],
  [/cross_?entropy.*reduction/, (z) => nn.crossEntropyLoss(z(2, 3), z(2), { reduction: "avg" as never })],
  [/cross_?entropy.*(shape|batch|size|dim|mismatch)/, (z) => nn.crossEntropyLoss(z(2, 3, 4), z(2, 5))],
  [/bce.*(shape|size|target|mismatch)/, (z) => nn.bceWithLogitsLoss(z(2, 3), z(2, 1))],
  [/linear/, (z) => v.linear(z(2, 3), z(4, 2))],
  [/matmul|(?:^|_)b?mm(?:_|$)/, (z) => v.matmul(z(2, 3), z(4, 2))],
  [/concat|(?:^|_)cat(?:_|$)/, (z) => v.concat([z(1, 2, 3), z(1, 2, 4)], 1)],
  [/stack/, (z) => v.stack([z(2, 3), z(2, 4)])],
  [/reshape|view/, (z) => v.reshape(z(2, 3), [4])],
  [/permute/, (z) => v.permute(z(2, 3), [0, 0])],
  [/expand/, (z) => v.expand(z(2, 3), [2, 4])],
  [/broadcast/, (z) => v.add(z(2, 3), z(2, 4))],
  [/gather/, (z, dev) => v.gather(z(2, 3), 0, indices(dev, 2))],
  [/(sgd|nesterov).*|.*nesterov/, (z) => new nn.SGD([v.parameter(z(2))], { nesterov: true })],
  [/adamw?.*beta/, (z) => new nn.Adam([v.parameter(z(2))], { betas: [0.9, 1] })],
  [/adamw?.*(lr|rate)/, (z) => new nn.Adam([v.parameter(z(2))], { lr: -1 })],
  [/(lr|rate).*negative|negative.*(lr|rate)/, (z) => new nn.SGD([v.parameter(z(2))], { lr: -1 })],
];

const indices = (dev: Device, ...shape: number[]) => dev.tensor({ data: new Int32Array(v.sizeOf(shape)), shape }, "i32");

export const adapters: Adapters = {
  "op.error": async ({ args }) => {
    const dev = await device();
    const found = refused.find(([name]) => name.test(args.case));
    if (!found) throw new NotCovered(`the error case ${args.case}`);
    found[1]((...shape) => v.zeros(dev, shape), dev);
    return "accepted";
  },
};
