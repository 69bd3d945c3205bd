/** @file Reading by index. */

import { gather, indexSelect } from "../../../autograd/indexing.ts";
import { reshape, slice, squeeze } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { hostOf, type HostValue, isHost } from "../../values.ts";
import { expectSmall } from "../broadcast.ts";
import type { Call } from "../call.ts";
import { fromStart } from "../integers.ts";
import { all } from "../known.ts";
import type { Operators } from "../operator.ts";

function pick(c: Call): Tensor {
  const x = c.tensor(0);
  const axis = c.axis(c.int("axis", 0), x.rank);
  const index = c.input(1);
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
  if (!isHost(index)) return reshape(indexSelect(x, axis, fromStart(reshape(index, [index.size]), x.shape[axis])), shape);
  const at = Array.from(index.data, (v) => (v < 0 ? v + x.shape[axis] : v));
  if (at.some((v) => v < 0 || v >= x.shape[axis])) throw c.wrong(`an index is outside of an axis of ${x.shape[axis]}`);
  if (at.length === 1 && index.shape.length < 2) {
    const part = slice(x, [...new Array<undefined>(axis).fill(undefined), [at[0], at[0] + 1, 1]]);
    return index.shape.length === 0 ? squeeze(part, axis) : part;
  }
  const places = c.device.tensor({ data: Int32Array.from(at), shape: [at.length] }, "i32");
  return reshape(indexSelect(x, axis, places), shape);
}

function pickElements(c: Call): Tensor {
  const x = c.tensor(0);
  const axis = c.axis(c.int("axis", 0), x.rank);
  const index = c.input(1);
  const size = x.shape[axis];
  if (!isHost(index)) return gather(x, axis, fromStart(index, size));
  const data = Int32Array.from(index.data, (v) => (v < 0 ? v + size : v));
  return gather(x, axis, c.device.tensor({ data, shape: index.shape }, "i32"));
}

function hostGather(c: Call): HostValue {
  const [x, index] = all(c);
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  const size = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
  expectSmall(c, shape);
  const count = sizeOf(index.shape);
  const at = (i: number) => {
    const raw = index.data[Math.floor(i / inner) % count];
    const place = raw < 0 ? raw + size : raw;
    if (place < 0 || place >= size) throw c.wrong(`index ${raw} is outside of an axis of ${size}`);
    return x.data[(Math.floor(i / inner / count) * size + place) * inner + (i % inner)];
  };
  return hostOf(x.kind, shape, at, x.type);
}

export const operators: Operators = { Gather: { device: pick, host: hostGather }, GatherElements: { device: pickElements } };
