/** @file Conversion between f32, f16, i32 and u32. */

import type { Device } from "../tensor/device.ts";
import { ConfigError, DTypeError } from "../host/errors.ts";
import type { DType } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eachPiece } from "./lib/pieces.ts";
import { flat } from "./lib/workgroups.ts";
import { convertShader, F32, I32, U32 } from "./shaders/cast/convert.gen.ts";
import { halfShader } from "./shaders/cast/half.gen.ts";

const types = { f32: F32, i32: I32, u32: U32 } as const;

/** The same values in another type; f16 from and to f32 only. Throws `DTypeError`, `ConfigError` if the adapter has no f16. */
export function cast(x: Tensor, dtype: DType): Tensor {
  const from = x.dtype;
  if (from === dtype) return x.view(x.shape);
  const describe = from === "f16" || dtype === "f16" ? halfCall(x, dtype) : wordCall(from, dtype);
  const y = x.device.empty(x.shape, dtype);
  if (y.size === 0) return y;
  eachPiece("cast", x.rank, [read(x), write(y)], ([given, to]) => {
    const { words: params, workgroups } = flat(x.device, "cast", to.size);
    x.device.run(describe({ params, bind: { x: given, y: write(to) }, workgroups }));
  });
  return y;
}

type Call = Pick<Parameters<typeof convertShader>[0], "params" | "bind" | "workgroups">;

function halfCall(x: Tensor, dtype: DType) {
  if (x.dtype !== "f32" && dtype !== "f32") throw new DTypeError(`cast: from ${x.dtype} to ${dtype} only by way of f32`);
  expectHalf("cast", x.device);
  return (call: Call) => halfShader[dtype === "f16" ? "narrow" : "widen"]({ ...call, variant: dtype });
}

function wordCall(from: keyof typeof types, to: keyof typeof types) {
  return (call: Call) => convertShader({ ...call, overrides: { FROM: types[from], TO: types[to] }, variant: `${from} ${to}` });
}

/** Throws `ConfigError` unless shaders of this device know f16. */
export function expectHalf(op: string, device: Device): void {
  if (device.gpu.features.has("shader-f16")) return;
  throw new ConfigError(
    `${op}: this adapter has no f16 in shaders (WebGPU feature shader-f16); use f32. On NVIDIA with Dawn it needs the toggles ` +
      `enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia`,
  );
}
