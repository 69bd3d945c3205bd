/** @file Conversion between f32, f16, i32 and u32. */

import type { Device } from "../tensor/device.ts";
import { ConfigError, DTypeError } from "../host/errors.ts";
import type { DType } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eachPiece } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { convertShader } from "./shaders/cast/convert.gen.ts";
import { halfShader } from "./shaders/cast/half.gen.ts";

const types = { f32: 0, i32: 1, u32: 2, f16: -1 } as const;

/** The same values in another type; f16 from and to f32 only. Throws `DTypeError`, `ConfigError` if the adapter has no f16. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x.view(x.shape);
  const types16 = x.dtype === "f16" || dtype === "f16";
  if (types16 && x.dtype !== "f32" && dtype !== "f32")
    throw new DTypeError(`cast: from ${x.dtype} to ${dtype} only by way of f32`);
  if (types16) expectHalf("cast", x.device);
  const y = x.device.empty(x.shape, dtype);
  if (y.size === 0) return y;
  if (types16) {
    eachPiece("cast", x.rank, [read(x), write(y)], ([from, to]) => {
      x.device.run(
        halfShader[dtype === "f16" ? "narrow" : "widen"]({
          variant: dtype,
          params: { count: to.size },
          bind: { x: from, y: write(to) },
          workgroups: grid(x.device, "cast", to.size, 64),
        }),
      );
    });
    return y;
  }
  eachPiece("cast", x.rank, [read(x), write(y)], ([from, to]) => {
    x.device.run(
      convertShader({
        overrides: { FROM: types[x.dtype], TO: types[dtype] },
        variant: `${x.dtype} ${dtype}`,
        params: { count: to.size },
        bind: { x: from, y: write(to) },
        workgroups: grid(x.device, "cast", to.size, 64),
      }),
    );
  });
  return y;
}

/** Throws `ConfigError` unless shaders of this device know f16. */
export function expectHalf(op: string, device: Device): void {
  if (device.gpu.features.has("shader-f16")) return;
  throw new ConfigError(
    `${op}: this adapter has no f16 in shaders (WebGPU feature shader-f16); use f32. On NVIDIA with Dawn it needs the toggles ` +
      `enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia`,
  );
}
