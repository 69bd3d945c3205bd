/** @file A straight line per channel with an activation behind it: batch norm with fixed statistics in one pass. */

import { sizeOf } from "../../host/array.ts";
import { read, write } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "../lib/args.ts";
import { eachPiece } from "../lib/pieces.ts";
import { flat } from "../lib/workgroups.ts";
import { codeOf } from "./norm.ts";
import type { Residual } from "./shape.ts";
import { channelLineShader } from "../shaders/norm/channel_line.gen.ts";

/**
 * x · factor + shift of `[N, C, …]`, then `slope` times it where it is not above 0, and a residual behind or before that.
 * @param factor `[C]`, with `shift` `[C]`
 * @param slope 1 for no activation, 0 for ReLU; or slopes `[1]` or `[C]`
 */
export function channelLine(x: Tensor, factor: Tensor, shift: Tensor, slope: number | Tensor, residual?: Residual): Tensor {
  expectFloats("fixedBatchNorm", { input: x });
  expectTensors("fixedBatchNorm", { factor, shift });
  const { device } = x;
  const slopes = typeof slope === "number" ? undefined : slope;
  if (slopes) expectTensors("fixedBatchNorm", { slope: slopes });
  const lines = { slope: typeof slope === "number" ? slope : 0, slopes: slopes?.size ?? 0, residual: codeOf(residual) };
  const y = device.empty(x.shape, x.dtype);
  if (x.size === 0) return y;
  const inner = sizeOf(x.shape.slice(2));
  // In pieces of all elements in a row.
  eachPiece("fixedBatchNorm", x.rank, [read(x), read(residual?.tensor ?? x), write(y)], ([from, added, to], start) => {
    const wide = [inner, start, to.size].every((n) => n % 4 === 0);
    const width = wide ? 4 : 1;
    const { words, workgroups } = flat(device, "fixedBatchNorm", to.size / width);
    device.run(
      channelLineShader[wide ? "wide" : "scalar"]({
        variant: wide ? "x4" : "",
        half: half(x),
        params: { ...words, inner: inner / width, channels: x.shape[1], start: start / width, ...lines },
        bind: { x: from, factor, shift, slopes: slopes ?? factor, residual: added, y: write(to) },
        workgroups,
      }),
    );
  });
  return y;
}
