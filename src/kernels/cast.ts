/** @file Conversion between f32, i32 and u32. */

import type { DType } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eachPiece } from "./pieces.ts";
import { grid, program } from "./program.ts";
import { expectWords } from "./strided.ts";

const types = { f32: 0, i32: 1, u32: 2, f16: -1 } as const;

/** The same values in another type. Throws `DTypeError` for f16. */
export function cast(x: Tensor, dtype: DType): Tensor {
  expectWords("cast", x.dtype);
  expectWords("cast", dtype);
  if (x.dtype === dtype) return x.view(x.shape);
  const y = x.device.empty(x.shape, dtype);
  if (y.size === 0) return y;
  eachPiece("cast", x.rank, [read(x), write(y)], ([from, to]) => {
    x.device.run({
      program: program("cast/convert", {
        libs: ["lib/grid"],
        overrides: { FROM: types[x.dtype], TO: types[dtype] },
        variant: `${x.dtype} ${dtype}`,
      }),
      bindings: [read(from), write(to)],
      params: [to.size],
      workgroups: grid(x.device, "cast", to.size, 64),
    });
  });
  return y;
}
