/** @file Values that are made of shapes, sizes and bounds. */

import { full } from "../../../kernels/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { types } from "../../tensor_data.ts";
import { hostInts, hostLimit, hostOf, type HostValue, type Value } from "../../values.ts";
import { expectSmall } from "../broadcast.ts";
import type { Call } from "../call.ts";
import { first } from "../known.ts";
import type { Operators } from "../operator.ts";

// More elements than the host computes with: only a filled tensor can be that large.
function filled(c: Call): Value {
  const shape = c.list(0)!;
  const tensor = c.attribute("value")?.tensor;
  const value = tensor ? c.constant(tensor) : hostOf("float", [1], () => 0);
  if (sizeOf(shape) <= hostLimit) return hostOf(value.kind, shape, () => value.data[0]);
  return full(c.device, shape, value.data[0], value.kind === "int" ? "i32" : "f32");
}

function range(c: Call): HostValue {
  const [start, limit, step] = [0, 1, 2].map((i) => c.number(i, 0));
  const count = Math.max(0, Math.ceil((limit - start) / step));
  expectSmall(c, [count]);
  return hostOf(first(c).kind, [count], (i) => start + i * step);
}

function shapeOf(c: Call): HostValue {
  const shape = c.shape(0);
  const bound = (name: string, fallback: number) => {
    const v = c.int(name, fallback);
    return Math.min(shape.length, Math.max(0, v < 0 ? v + shape.length : v));
  };
  return hostInts(shape.slice(bound("start", 0), bound("end", shape.length)));
}

function nonZero(c: Call): HostValue {
  const x = first(c);
  const strides = stridesOf(x.shape);
  const at = Array.from(x.data).flatMap((v, i) => (v !== 0 ? [i] : []));
  expectSmall(c, [x.shape.length, at.length]);
  return hostInts(
    x.shape.flatMap((d, axis) => at.map((i) => Math.floor(i / strides[axis]) % d)),
    [x.shape.length, at.length],
  );
}

/** Ones on a diagonal, in the shape of the input. */
function eyeLike(c: Call): HostValue {
  const shape = c.shape(0);
  if (shape.length !== 2) throw c.wrong(`it has ${shape.length} axes; expected 2`);
  expectSmall(c, shape);
  const [k, columns] = [c.int("k", 0), shape[1]];
  const type = types[c.int("dtype", 1)];
  if (!type) throw c.unsupported(`the type ${c.int("dtype", 1)}`);
  return hostOf(type.kind, shape, (i) => Number((i % columns) - Math.floor(i / columns) === k), type.name);
}

export const operators: Operators = {
  ConstantOfShape: { device: filled, known: [0] },
  EyeLike: { shape: eyeLike },
  NonZero: { host: nonZero },
  Range: { host: range, known: [0, 1, 2] },
  Shape: { shape: shapeOf },
  Size: { shape: (c) => hostInts([sizeOf(c.shape(0))], []) },
};
