/** @file Which elements of a tensor are among its k largest, without sorting and without the host. */

import { ShapeError } from "../host/errors.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { fold, grid, lanes, program } from "./lib/program.ts";
import { full } from "./view.ts";

/**
 * 1 for the `k` largest elements of all, else 0; elements equal to the smallest of those share evenly what is left, so the result adds up to k.
 * No gradient. Found by radix select: four counting passes.
 * @throws ShapeError unless k is a whole number from 1 to the number of elements; DTypeError
 */
export function topShare(x: Tensor, k: number): Tensor {
  expectTensors("topShare", { input: x });
  if (!(Number.isInteger(k) && k >= 1 && k <= x.size)) {
    throw new ShapeError(
      `topShare: k must be a whole number from 1 to the ${x.size} elements of ${showShape(x.shape)}, got ${k}`,
    );
  }
  const { device } = x;
  const y = device.empty(x.shape);
  const state = full(device, [259], 0, "u32");
  const [flat, to] = [x, y].map((t) => t.view([x.size]));
  const width = lanes(device);
  const chunk = 64 * width;
  for (const shift of [24, 16, 8, 0]) {
    eachPiece("topShare", 1, [read(flat)], ([part]) => {
      device.run({
        program: program("top_share/count", { libs: ["lib/grid", "lib/top_share"], consts: { LANES: width } }),
        bindings: [read(part), update(state)],
        params: [part.size, shift, k, chunk],
        workgroups: fold(device, "topShare", Math.ceil(part.size / chunk)),
      });
    });
    device.run({
      program: program("top_share/choose", { libs: ["lib/top_share"] }),
      bindings: [update(state)],
      params: [x.size, shift, k, chunk],
      workgroups: [1, 1, 1],
    });
  }
  eachPiece("topShare", 1, [read(flat), write(to)], ([part, result]) => {
    device.run({
      program: program("top_share/share", { libs: ["lib/grid", "lib/top_share"] }),
      bindings: [read(part), read(state), write(result)],
      params: [part.size, 0, k, chunk],
      workgroups: grid(device, "topShare", part.size, 64),
    });
  });
  for (const t of [state, flat, to]) t.dispose();
  return y;
}
