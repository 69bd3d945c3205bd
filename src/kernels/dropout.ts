/** @file Dropout from a counter-based generator in device memory. */

import { ConfigError, ShapeError } from "../host/errors.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { sameShape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { flat } from "./lib/workgroups.ts";
import { applyShader } from "./shaders/dropout/apply.gen.ts";
import { takeShader } from "./shaders/dropout/take.gen.ts";

/** Takes one draw `[4]` from a generator `[4]` (u32: seed, draws so far) and moves it on. */
export function takeDraw(generator: Tensor): Tensor {
  expectTensors("dropout", { generator }, "u32");
  if (!sameShape(generator.shape, [4])) throw new ShapeError(`dropout: the generator ${showShape(generator.shape)} must be [4]`);
  const draw = generator.device.empty([4], "u32");
  generator.device.run(takeShader({ bind: { generator: update(generator), draw: write(draw) }, workgroups: [1, 1, 1] }));
  return draw;
}

/** Drops runs of `inner` adjacent elements with probability `rate` in [0, 1); scales the rest by 1 / (1 − rate). */
export function dropout(x: Tensor, draw: Tensor, rate: number, inner: number): Tensor {
  expectFloats("dropout", { input: x });
  if (!(rate >= 0 && rate < 1)) throw new ConfigError(`dropout: the rate must be in [0, 1), got ${rate}`);
  const y = x.device.empty(x.shape, x.dtype);
  if (x.size === 0) return y;
  eachPiece("dropout", x.rank, [read(x), write(y)], ([from, to], start) => {
    const { words, workgroups } = flat(x.device, "dropout", to.size);
    x.device.run(
      applyShader({
        half: half(x),
        params: { ...words, inner, rate, start },
        bind: { draw, x: from, y: write(to) },
        workgroups,
      }),
    );
  });
  return y;
}
