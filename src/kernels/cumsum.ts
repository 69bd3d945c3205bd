/** @file Running sums along an axis, in blocks whose sums are summed the same way. */

import { write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { grid } from "./lib/workgroups.ts";
import { blockSumsShader } from "./shaders/cumsum/block_sums.gen.ts";
import { scanShader } from "./shaders/cumsum/scan.gen.ts";
import { aroundAxis } from "./softmax.ts";

// Terms that one thread adds: few enough for many threads and small errors, enough to make the levels few.
const blockSize = 64;

/** y[k] = x[0] + … + x[k] along `axis`, from the other end for `reverse`. Throws `ShapeError`, `DTypeError`. */
export function cumsum(x: Tensor, axis: number, reverse = false): Tensor {
  expectTensors("cumsum", { input: x });
  const { outer, axis: size, inner } = aroundAxis("cumsum", x.shape, axis);
  const { device } = x;
  const y = device.empty(x.shape);
  if (y.size === 0) return y;
  const blocks = Math.ceil(size / blockSize);
  const threads = outer * blocks * inner;
  const shared = {
    consts: { BLOCK: blockSize },
    params: { axis: size, inner, blocks, reverse: reverse ? 1 : 0, count: threads },
    workgroups: grid(device, "cumsum", threads, 64),
  };
  let sums: Tensor | undefined;
  if (blocks > 1) {
    const own = device.empty([outer, blocks, inner]);
    device.run(blockSumsShader({ ...shared, bind: { x, y: write(own) } }));
    sums = cumsum(own, 1);
    own.dispose();
  }
  // One block has nothing before it and reads no sums.
  device.run(scanShader({ ...shared, bind: { x, sums: sums ?? x, y: write(y) } }));
  sums?.dispose();
  return y;
}
