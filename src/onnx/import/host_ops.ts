/** @file The host interpreter: shape arithmetic, from the Shape of a tensor to the sizes that Reshape and Resize are given. */

import { sizeOf } from "../../host/array.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { broadcastShapes, sameShape, stridesOf } from "../../host/shape.ts";
import { expanded, expectSmall, strided, zip } from "./broadcast.ts";
import type { Call, Op, Ops } from "./call.ts";
import { hostInts, hostOf, type HostValue, type Kind } from "../values.ts";
import { flattened, permutation, reducedAxes, reshaped, sliceRuns, splitParts, squeezedAxes, unsqueezedAxes } from "./shapes.ts";
import { types } from "../tensor_data.ts";

const first = (c: Call): HostValue => c.known(0);
const all = (c: Call): HostValue[] => c.inputs.map((_, i) => c.known(i));
// The kind of a result is that of its inputs.
const same =
  (f: (...v: number[]) => number): Op =>
  (c) =>
    zip(c, first(c).kind, all(c), f);
const truth =
  (f: (...v: number[]) => boolean): Op =>
  (c) =>
    zip(c, "bool", all(c), (...v) => Number(f(...v)));
const viewed =
  (rule: (c: Call, from: readonly number[]) => number[]): Op =>
  (c) => ({ ...first(c), shape: rule(c, first(c).shape) });

const squeezed = (c: Call, from: readonly number[]): number[] => {
  const axes = squeezedAxes(c, from);
  return from.filter((_, i) => !axes.includes(i));
};
const unsqueezed = (c: Call, from: readonly number[]): number[] =>
  unsqueezedAxes(c, from).reduce<number[]>((shape, a) => shape.toSpliced(a, 0, 1), [...from]);

const divide: Op = (c) => zip(c, first(c).kind, all(c), (a, b) => (first(c).kind === "int" ? Math.trunc(a / b) : a / b));

// Of integers the sign of the divisor, unless fmod asks for that of the dividend.
const modulo: Op = (c) => {
  const fmod = c.flag("fmod");
  return zip(c, first(c).kind, all(c), (a, b) => (fmod ? a % b : a - b * Math.floor(a / b)));
};

function cast(c: Call): HostValue {
  const x = first(c);
  const to = types[c.int("to", 1)];
  if (!to) throw c.unsupported(`a cast to type ${c.int("to", 1)}`);
  return hostOf(to.kind, x.shape, (i) => x.data[i]);
}

function gather(c: Call): HostValue {
  const [x, index] = all(c);
  const axis = c.axis(c.int("axis", 0), x.shape.length);
  const size = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
  expectSmall(c, shape);
  const count = sizeOf(index.shape);
  return hostOf(x.kind, shape, (i) => {
    const raw = index.data[Math.floor(i / inner) % count];
    const at = raw < 0 ? raw + size : raw;
    if (at < 0 || at >= size) throw c.wrong(`index ${raw} is outside of an axis of ${size}`);
    return x.data[(Math.floor(i / inner / count) * size + at) * inner + (i % inner)];
  });
}

function concat(c: Call): HostValue {
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
  return hostOf(parts[0].kind, shape, (i) => values[i]);
}

function slice(c: Call): HostValue {
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

function split(c: Call): HostValue[] {
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

function transpose(c: Call): HostValue {
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

function tile(c: Call): HostValue {
  const x = first(c);
  const counts = c.list(1)!;
  // [count, size] per axis; the first has stride 0.
  const strides = stridesOf(x.shape).flatMap((s) => [0, s]);
  const shape = x.shape.map((d, i) => d * counts[i]);
  expectSmall(c, shape);
  const all = strided(
    c,
    x,
    x.shape.flatMap((d, i) => [counts[i], d]),
    strides,
  );
  return { ...all, shape };
}

const reducer =
  (since: number, f: (values: readonly number[]) => number): Op =>
  (c) => {
    const x = first(c);
    const axes = reducedAxes(c, x.shape.length, since);
    if (!axes) return x;
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const strides = stridesOf(x.shape);
    const order = [...kept, ...axes];
    const moved = strided(
      c,
      x,
      order.map((a) => x.shape[a]),
      order.map((a) => strides[a]),
    );
    const terms = sizeOf(axes.map((a) => x.shape[a]));
    const shape = c.flag("keepdims", true) ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : kept.map((a) => x.shape[a]);
    return hostOf(x.kind, shape, (i) => f(Array.from(moved.data.subarray(i * terms, (i + 1) * terms))));
  };

const sum = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0);

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

function where(c: Call): HostValue {
  const kind: Kind = c.known(1).kind;
  return zip(c, kind, all(c), (condition, a, b) => (condition !== 0 ? a : b));
}

/** Operators that take anything and look at its shape only. */
export const shapeOps: Ops = { Shape: shapeOf, Size: (c) => hostInts([sizeOf(c.shape(0))], []) };

/** Operators over known values. */
export const hostOps: Ops = {
  Abs: same(Math.abs),
  Add: same((a, b) => a + b),
  And: truth((a, b) => a !== 0 && b !== 0),
  Cast: cast,
  CastLike: (c) => hostOf(c.known(1).kind, first(c).shape, (i) => first(c).data[i]),
  Ceil: same(Math.ceil),
  Concat: concat,
  Div: divide,
  Equal: truth((a, b) => a === b),
  Exp: same(Math.exp),
  Expand: (c) => expanded(c, first(c), broadcastShapes("Expand", first(c).shape, c.list(1)!)),
  Flatten: viewed(flattened),
  Floor: same(Math.floor),
  Gather: gather,
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  Identity: first,
  Less: truth((a, b) => a < b),
  LessOrEqual: truth((a, b) => a <= b),
  Log: same(Math.log),
  Max: same(Math.max),
  Min: same(Math.min),
  Mod: modulo,
  Mul: same((a, b) => a * b),
  Neg: same((a) => -a),
  NonZero: nonZero,
  Not: truth((a) => a === 0),
  Or: truth((a, b) => a !== 0 || b !== 0),
  Pow: same((a, b) => a ** b),
  Range: range,
  Reciprocal: same((a) => 1 / a),
  ReduceMax: reducer(18, (v) => v.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceMean: reducer(18, (v) => sum(v) / v.length),
  ReduceMin: reducer(18, (v) => v.reduce((a, b) => Math.min(a, b), Infinity)),
  ReduceProd: reducer(18, (v) => v.reduce((a, b) => a * b, 1)),
  ReduceSum: reducer(13, sum),
  Reshape: viewed(reshaped),
  Round: same(roundHalfEven),
  Slice: slice,
  Split: split,
  Sqrt: same(Math.sqrt),
  Squeeze: viewed(squeezed),
  Sub: same((a, b) => a - b),
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: viewed(unsqueezed),
  Where: where,
  Xor: truth((a, b) => (a !== 0) !== (b !== 0)),
};
