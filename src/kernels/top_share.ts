/** @file Which elements of a tensor are among its k largest, without sorting and without the host. */

import { ShapeError } from "../host/errors.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { lanes } from "./lib/occupancy.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { TIES } from "./shaders/lib/top_share.gen.ts";
import { chooseShader } from "./shaders/top_share/choose.gen.ts";
import { countShader } from "./shaders/top_share/count.gen.ts";
import { shareShader } from "./shaders/top_share/share.gen.ts";
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
  const state = full(device, [TIES + 1], 0, "u32");
  const [flat, to] = [x, y].map((t) => t.view([x.size]));
  const width = lanes(device);
  const slab = 64 * width;
  for (const shift of [24, 16, 8, 0]) {
    eachPiece("topShare", 1, [read(flat)], ([piece]) => {
      device.run(
        countShader({
          consts: { LANES: width },
          params: { count: piece.size, shift, k, slab },
          bind: { x: piece, state: update(state) },
          workgroups: fold(device, "topShare", Math.ceil(piece.size / slab)),
        }),
      );
    });
    device.run(
      chooseShader({
        params: { count: x.size, shift, k, slab },
        bind: { state: update(state) },
        workgroups: [1, 1, 1],
      }),
    );
  }
  eachPiece("topShare", 1, [read(flat), write(to)], ([piece, result]) => {
    device.run(
      shareShader({
        params: { count: piece.size, shift: 0, k, slab },
        bind: { x: piece, state, y: write(result) },
        workgroups: grid(device, "topShare", piece.size, 64),
      }),
    );
  });
  for (const t of [state, flat, to]) t.dispose();
  return y;
}
