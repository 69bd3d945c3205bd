/**
 * @file Writing by indices, alone or together with what is there. Updates of one place are put together in pairs before they meet the data, so that
 * the work grows with the logarithm of how often a place is named, and gradients go to all that had a part.
 */

import { indexSelect, scatterAdd } from "../../../autograd/indexing.ts";
import * as f from "../../../autograd/pointwise.ts";
import { concat, expand, reshape } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { sameShape, showShape, stridesOf } from "../../../host/shape.ts";
import { full } from "../../../kernels/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { hostOf, type HostValue, isHost, type Value } from "../../values.ts";
import { expectSmall } from "../broadcast.ts";
import type { Call } from "../call.ts";
import { fromStart, likewise } from "../integers.ts";
import type { Operator, Operators } from "../operator.ts";
import { deviceRows, hostRows, table } from "../tuples.ts";

interface Reduction {
  readonly pair: (a: Tensor, b: Tensor) => Tensor;
  readonly numbers: (a: number, b: number) => number;
  /** What changes nothing. */
  readonly neutral: number;
}

const reductions: Readonly<Record<string, Reduction>> = {
  add: { pair: f.add, numbers: (a, b) => a + b, neutral: 0 },
  mul: { pair: f.mul, numbers: (a, b) => a * b, neutral: 1 },
  max: { pair: f.maximum, numbers: Math.max, neutral: -Infinity },
  min: { pair: f.minimum, numbers: Math.min, neutral: Infinity },
};

/** The reduction of a node; undefined where updates replace what is there. */
function reductionOf(c: Call): Reduction | undefined {
  const name = c.opset < 16 ? "none" : c.choice("reduction", ["none", ...Object.keys(reductions)]);
  return reductions[name];
}

/** What is written where: `rows` of the data, which has `count` rows of `inner` elements. */
interface Writes {
  readonly rows: Int32Array;
  readonly count: number;
  readonly inner: number;
}

const selected = (c: Call, t: Tensor, rows: ArrayLike<number>): Tensor =>
  indexSelect(t, 0, c.device.tensor({ data: Int32Array.from(rows), shape: [rows.length] }, "i32"));

/** With one more row, of one value. */
const extended = (c: Call, t: Tensor, value: number): Tensor => concat([t, full(c.device, [1, t.shape[1]], value)], 0);

/** Updates with those of one row put together in pairs until each row has one. */
function gathered(c: Call, { pair, neutral }: Reduction, updates: Tensor, rows: Int32Array): { t: Tensor; rows: Int32Array } {
  while (new Set(rows).size < rows.length) {
    const alone = new Map<number, number>();
    const [left, right, kept]: number[][] = [[], [], []];
    rows.forEach((row, k) => {
      const at = alone.get(row);
      if (at !== undefined) {
        right[at] = k;
        alone.delete(row);
        return;
      }
      alone.set(row, left.length);
      left.push(k);
      right.push(rows.length);
      kept.push(row);
    });
    const all = extended(c, updates, neutral);
    updates = pair(selected(c, all, left), selected(c, all, right));
    rows = Int32Array.from(kept);
  }
  return { t: updates, rows };
}

function written(c: Call, { rows, count, inner }: Writes, reduction: Reduction | undefined): Tensor {
  if (rows.length === 0) return c.tensor(0);
  if (!reduction) {
    // Rows of the data, or of the updates where they are named; of two updates of one row the last.
    const order = Int32Array.from({ length: count }, (_, i) => i);
    rows.forEach((row, k) => (order[row] = count + k));
    const parts = [reshape(c.tensor(0), [count, inner]), reshape(c.tensor(2), [rows.length, inner])];
    return reshape(selected(c, concat(parts, 0), order), c.shape(0));
  }
  const all = gathered(c, reduction, reshape(c.float(2), [rows.length, inner]), rows);
  const order = new Int32Array(count).fill(all.rows.length);
  all.rows.forEach((row, k) => (order[row] = k));
  const spread = selected(c, extended(c, all.t, reduction.neutral), order);
  const y = reduction.pair(reshape(c.float(0), [count, inner]), spread);
  return likewise(c, reshape(y, c.shape(0)), [c.input(0)]);
}

/** By indices that depend on the data. Of several updates of one place, which ONNX does not allow, their mean is written. */
function writtenBy(c: Call, x: Tensor, axis: number, index: Tensor, updates: Tensor): Tensor {
  const reduction = reductionOf(c);
  if (reduction && reduction !== reductions.add)
    throw c.unsupported(`the reduction "${c.attribute("reduction")!.s}" by indices that depend on the data`);
  if (reduction) return scatterAdd(x, axis, index, updates);
  const hits = scatterAdd(full(c.device, x.shape, 0), axis, index, full(c.device, updates.shape, 1));
  const sums = scatterAdd(full(c.device, x.shape, 0), axis, index, updates);
  return f.where(f.gt(hits, 0), f.div(sums, f.maximum(hits, 1)), x);
}

function hostWritten(c: Call, { rows, inner }: Writes): HostValue {
  const reduction = reductionOf(c);
  const [x, updates] = [c.known(0), c.known(2)];
  expectSmall(c, x.shape);
  const y = hostOf(x.kind, x.shape, (i) => x.data[i], x.type);
  rows.forEach((row, k) => {
    for (let i = 0; i < inner; i++) {
      const [to, v] = [row * inner + i, updates.data[k * inner + i]];
      y.data[to] = reduction ? reduction.numbers(y.data[to], v) : v;
    }
  });
  return y;
}

function byTuples(c: Call, onHost: boolean): Value {
  const t = table(c);
  const wanted = [...t.lead, ...t.rest];
  if (!sameShape(c.shape(2), wanted))
    throw c.wrong(`the updates have the shape ${showShape(c.shape(2))}; expected ${showShape(wanted)}`);
  const index = c.input(1);
  if (isHost(index)) {
    const writes = { rows: hostRows(c, index, t), count: t.rows, inner: t.inner };
    return onHost ? hostWritten(c, writes) : written(c, writes, reductionOf(c));
  }
  const count = sizeOf(t.lead);
  const rows = expand(reshape(deviceRows(c, index, t), [count, 1]), [count, t.inner]);
  const y = writtenBy(c, reshape(c.float(0), [t.rows, t.inner]), 0, rows, reshape(c.float(2), [count, t.inner]));
  return likewise(c, reshape(y, c.shape(0)), [c.input(0)]);
}

/** The element that each index names, where all are known. Throws `FormatError` for one outside. */
function elementsOf(c: Call, index: HostValue, axis: number): Int32Array {
  const [shape, strides] = [c.shape(0), stridesOf(c.shape(0))];
  const own = stridesOf(index.shape);
  return Int32Array.from(index.data, (raw, k) => {
    const at = raw < 0 ? raw + shape[axis] : raw;
    if (!(at >= 0 && at < shape[axis])) throw c.wrong(`index ${raw} is outside of an axis of ${shape[axis]}`);
    let element = at * strides[axis];
    own.forEach((s, a) => {
      if (a !== axis) element += (Math.floor(k / s) % index.shape[a]) * strides[a];
    });
    return element;
  });
}

function byElements(c: Call, onHost: boolean): Value {
  const [data, shape] = [c.shape(0), c.shape(1)];
  const axis = c.axis(c.int("axis", 0), data.length);
  if (shape.length !== data.length || shape.some((d, a) => a !== axis && d > data[a]) || !sameShape(shape, c.shape(2)))
    throw c.wrong(`indices ${showShape(shape)} and updates ${showShape(c.shape(2))} for ${showShape(data)}`);
  const index = c.input(1);
  if (isHost(index)) {
    const writes = { rows: elementsOf(c, index, axis), count: sizeOf(data), inner: 1 };
    return onHost ? hostWritten(c, writes) : written(c, writes, reductionOf(c));
  }
  const places = fromStart(index, data[axis]);
  return likewise(c, writtenBy(c, c.float(0), axis, places, c.float(2)), [c.input(0)]);
}

const either = (write: (c: Call, onHost: boolean) => Value): Operator => ({
  device: (c) => write(c, false),
  host: (c) => write(c, true),
});

export const operators: Operators = {
  // The name up to operator set 10.
  Scatter: either(byElements),
  ScatterElements: either(byElements),
  ScatterND: either(byTuples),
};
