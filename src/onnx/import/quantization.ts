/** @file Quantized numbers: integers of a few bits with a scale and a zero point. They are i32 on the device and computed in f32, exact below 2²⁴. */

import { cast } from "../../autograd/cast.ts";
import * as f from "../../autograd/pointwise.ts";
import { expand, reshape, slice } from "../../autograd/view.ts";
import { sizeOf } from "../../host/array.ts";
import { elementsBy, integerRange } from "../../host/elements.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isHost, typed, typeOf } from "../values.ts";
import type { Call } from "./call.ts";

const byName = elementsBy("numpy");
const quarters: Readonly<Record<string, readonly [number, number]>> = { int4: [-8, 7], uint4: [0, 15] };

/** The type of the zero point that is input `i`; bytes without one. */
export const typeOfZero = (c: Call, i: number): string | undefined => (c.has(i) ? typeOf(c.input(i)) : "uint8");

/** Least and greatest number of a type. Throws `ConfigError` for one that nothing is quantized to here. */
function quantizedRange(c: Call, type: string | undefined): readonly [number, number] {
  const name = type === undefined ? undefined : byName.get(type);
  const range = type === undefined ? undefined : (quarters[type] ?? (name && integerRange(name)));
  if (!range || range[1] > 2 ** 16) throw c.unsupported(`quantizing to ${type ?? "a type that the file does not tell"}`);
  return range;
}

/** Input `i`, one number or one per element of `axis`, under a shape that broadcasts against `rank` axes. */
export function along(c: Call, i: number, rank: number, axis: number): Tensor {
  const t = c.float(i);
  const ones = new Array<number>(rank).fill(1);
  return reshape(t, t.size === 1 ? ones : ones.with(axis, t.size));
}

/** Input `i` less the zero point that is input `zero`, if there is one and it is not 0. */
export function centered(c: Call, i: number, zero: number, spread: (i: number) => Tensor): Tensor {
  const x = c.float(i);
  if (!c.has(zero)) return x;
  const z = c.input(zero);
  if (!isHost(z)) return f.sub(x, spread(zero));
  if (z.data.every((v) => v === 0)) return x;
  return sizeOf(z.shape) === 1 ? f.sub(x, z.data[0]) : f.sub(x, spread(zero));
}

/** `x`, in units of the scale, as integers of a type: rounded to even, shifted by the zero point that is input `zero`, and cut off. */
export function rounded(c: Call, x: Tensor, zero: number, type: string | undefined, spread: (i: number) => Tensor): Tensor {
  const range = quantizedRange(c, type);
  const whole = f.round(x);
  const z = c.has(zero) ? c.input(zero) : undefined;
  const shifted = !z ? whole : isHost(z) && sizeOf(z.shape) === 1 ? f.add(whole, z.data[0]) : f.add(whole, spread(zero));
  return typed(cast(f.clamp(shifted, ...range), "i32"), type);
}

/** Input `i` with each element repeated along `axis` for the `block` elements of the input that it belongs to. */
export function blocks(c: Call, i: number, axis: number, block: number, shape: readonly number[]): Tensor {
  const t = c.float(i);
  const count = Math.ceil(shape[axis] / block);
  if (t.rank !== shape.length || t.shape[axis] !== count)
    throw c.wrong(
      `input ${i} has the shape [${t.shape.join(", ")}] for blocks of ${block} along axis ${axis} of [${shape.join(", ")}]`,
    );
  const split = t.shape.toSpliced(axis + 1, 0, 1);
  const wide = reshape(expand(reshape(t, split), split.with(axis + 1, block)), t.shape.with(axis, count * block));
  if (count * block === shape[axis]) return wide;
  return slice(wide, [...new Array<undefined>(axis).fill(undefined), [0, shape[axis]]]);
}
