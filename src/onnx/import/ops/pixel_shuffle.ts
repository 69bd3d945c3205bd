/** @file Blocks of pixels to channels and back. */

import { pixelShuffle } from "../../../autograd/pixel_shuffle.ts";
import { permute, reshape } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

const blocks = (c: Call, x: Tensor): { b: number; n: number; ch: number; h: number; w: number } => {
  if (x.rank !== 4) throw c.wrong(`expected [N, C, H, W], got [${x.shape.join(", ")}]`);
  const [n, ch, h, w] = x.shape;
  return { b: c.int("blocksize", 1), n, ch, h, w };
};

function depthToSpace(c: Call): Tensor {
  const x = c.tensor(0);
  const { b, n, ch, h, w } = blocks(c, x);
  if (c.choice("mode", ["DCR", "CRD"]) === "CRD") return pixelShuffle(x, b);
  const apart = permute(reshape(x, [n, b, b, ch / (b * b), h, w]), [0, 3, 4, 1, 5, 2]);
  return reshape(apart, [n, ch / (b * b), h * b, w * b]);
}

function spaceToDepth(c: Call): Tensor {
  const x = c.tensor(0);
  const { b, n, ch, h, w } = blocks(c, x);
  const order = c.choice("mode", ["DCR", "CRD"]) === "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
  const apart = permute(reshape(x, [n, ch, h / b, b, w / b, b]), order);
  return reshape(apart, [n, ch * b * b, h / b, w / b]);
}

export const operators: Operators = { DepthToSpace: { device: depthToSpace }, SpaceToDepth: { device: spaceToDepth } };
