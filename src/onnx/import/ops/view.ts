/** @file Operators that give elements another order or shape. */

import { concat, expand, flip, permute, reshape, slice, split, squeeze, unsqueeze } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { broadcastShapes, sameShape, stridesOf } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { hostOf, type HostValue, isHost } from "../../values.ts";
import { expanded, expectSmall, strided } from "../broadcast.ts";
import type { Call, Op } from "../call.ts";
import { all, first } from "../known.ts";
import type { Operators } from "../operator.ts";
import { flattened, permutation, reshaped, sliceRuns, splitParts, squeezedAxes, unsqueezedAxes } from "../shapes.ts";

const viewed =
  (rule: (c: Call, from: readonly number[]) => number[]): Op =>
  (c) =>
    reshape(c.tensor(0), rule(c, c.shape(0)));

const hostViewed =
  (rule: (c: Call, from: readonly number[]) => number[]): Op =>
  (c) => ({ ...first(c), shape: rule(c, first(c).shape) });

const squeezed = (c: Call, from: readonly number[]): number[] => {
  const axes = squeezedAxes(c, from);
  return from.filter((_, i) => !axes.includes(i));
};
const unsqueezed = (c: Call, from: readonly number[]): number[] =>
  unsqueezedAxes(c, from).reduce<number[]>((shape, a) => shape.toSpliced(a, 0, 1), [...from]);

function join(c: Call): Tensor {
  const floats = c.inputs.some((v) => v && (isHost(v) ? v.kind !== "int" : v.dtype === "f32"));
  const parts = c.inputs.map((_, i) => (floats ? c.float(i) : c.tensor(i)));
  return concat(parts, c.axis(c.int("axis", 1), parts[0].rank));
}

// Kernels step forwards: what runs backwards is cut out first and turned round after.
function cut(c: Call): Tensor {
  const x = c.tensor(0);
  const runs = sliceRuns(c, x.shape);
  const part = slice(
    x,
    runs.map(({ start, count, step }) => {
      const low = step > 0 ? start : start + (count - 1) * step;
      return count === 0 ? [0, 0, 1] : [low, low + (count - 1) * Math.abs(step) + 1, Math.abs(step)];
    }),
  );
  const turned = runs.flatMap((r, i) => (r.step < 0 && r.count > 1 ? [i] : []));
  return turned.length > 0 ? flip(part, turned) : part;
}

function parts(c: Call): Tensor[] {
  const x = c.tensor(0);
  const axis = c.axis(c.int("axis", 0), x.rank);
  return split(x, splitParts(c, x.shape[axis]), axis);
}

function hostConcat(c: Call): HostValue {
  const parts = all(c);
  const axis = c.axis(c.int("axis", 0), parts[0].shape.length);
  const rest = (v: HostValue) => v.shape.toSpliced(axis, 1);
  if (parts.some((v) => v.shape.length !== parts[0].shape.length || !sameShape(rest(v), rest(parts[0])))) {
    throw c.wrong(`shapes ${parts.map((v) => `[${v.shape.join(", ")}]`).join(", ")} do not join along axis ${axis}`);
  }
  const total = parts.reduce((n, v) => n + v.shape[axis], 0);
  const shape = parts[0].shape.with(axis, total);
  expectSmall(c, shape);
  const inner = sizeOf(shape.slice(axis + 1));
  const values: number[] = [];
  for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++) {
    for (const v of parts) {
      const run = v.shape[axis] * inner;
      for (let i = 0; i < run; i++) values.push(v.data[outer * run + i]);
    }
  }
  return hostOf(parts[0].kind, shape, (i) => values[i], parts[0].type);
}

function hostSlice(c: Call): HostValue {
  const x = first(c);
  const runs = sliceRuns(c, x.shape);
  const strides = stridesOf(x.shape);
  const steps = runs.map((r, i) => r.step * strides[i]);
  const start = runs.reduce((sum, r, i) => sum + r.start * strides[i], 0);
  return strided(
    c,
    x,
    runs.map((r) => r.count),
    steps,
    start,
  );
}

function hostSplit(c: Call): HostValue[] {
  const x = first(c);
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  const parts = splitParts(c, x.shape[axis]);
  if (parts.reduce((a, b) => a + b, 0) !== x.shape[axis])
    throw c.wrong(`parts [${parts.join(", ")}] of an axis of ${x.shape[axis]}`);
  const strides = stridesOf(x.shape);
  let start = 0;
  return parts.map((count) => {
    const part = strided(c, x, x.shape.with(axis, count), strides, start * strides[axis]);
    start += count;
    return part;
  });
}

function hostTranspose(c: Call): HostValue {
  const x = first(c);
  const axes = permutation(c, x.shape.length);
  const strides = stridesOf(x.shape);
  return strided(
    c,
    x,
    axes.map((a) => x.shape[a]),
    axes.map((a) => strides[a]),
  );
}

export const operators: Operators = {
  Concat: { device: join, host: hostConcat },
  Expand: {
    device: (c) => expand(c.tensor(0), broadcastShapes("Expand", c.shape(0), c.list(1)!)),
    host: (c) => expanded(c, first(c), broadcastShapes("Expand", first(c).shape, c.list(1)!)),
    known: [1],
  },
  Flatten: { device: viewed(flattened), host: hostViewed(flattened) },
  Identity: { device: (c) => c.input(0), host: first },
  Reshape: { device: viewed(reshaped), host: hostViewed(reshaped), known: [1] },
  Slice: { device: cut, host: hostSlice, known: [1, 2, 3, 4] },
  Split: { device: parts, host: hostSplit, known: [1] },
  Squeeze: { device: (c) => squeeze(c.tensor(0), squeezedAxes(c, c.shape(0))), host: hostViewed(squeezed), known: [1] },
  Transpose: { device: (c) => permute(c.tensor(0), permutation(c, c.shape(0).length)), host: hostTranspose },
  Unsqueeze: {
    device: (c) => unsqueezedAxes(c, c.shape(0)).reduce(unsqueeze, c.tensor(0)),
    host: hostViewed(unsqueezed),
    known: [1],
  },
};
