/** @file Padding in PyTorch's modes, and rolling, which is circular padding that crops as much on the other side. */

import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape, showShape, stridesOf } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { half } from "./lib/args.ts";
import { share } from "./lib/occupancy.ts";
import { eachPart } from "./lib/parts.ts";
import { axisWords } from "./lib/strided.ts";
import { grid } from "./lib/workgroups.ts";
import { CIRCULAR, CONSTANT, REFLECT, REPLICATE } from "./shaders/lib/pad.gen.ts";
import { forwardShader } from "./shaders/pad/forward.gen.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { gradientShader } from "./shaders/pad/gradient.gen.ts";

const modes = { constant: CONSTANT, reflect: REFLECT, replicate: REPLICATE, circular: CIRCULAR } as const;

/** What `pad` fills the margin with, by the names of PyTorch. */
export type PadMode = keyof typeof modes;

/** Where the elements of a result axis come from. */
export interface PadAxis {
  /** Size of the input's axis. */
  readonly size: number;
  /** Size of the result's axis. */
  readonly padded: number;
  /** Elements before the input's first one; negative where it is cropped. */
  readonly before: number;
  /** The part of the input that is used: in circular mode what is cropped does not come round again. */
  readonly first: number;
  readonly period: number;
}

const untouched = (size: number): PadAxis => ({ size, padded: size, before: 0, first: 0, period: size });

const isUntouched = (a: PadAxis): boolean => a.before === 0 && a.padded === a.size && a.period === a.size;

/** Shape rule of `pad`: `padding` is `[before, after]` of the last axis, then of the one before it, and so on. Throws `ShapeError`, `ConfigError`. */
export function padAxes(shape: Shape, padding: readonly number[], mode: PadMode): PadAxis[] {
  if (!(mode in modes)) throw new ConfigError(`pad: mode "${mode}" is none of ${Object.keys(modes).join(", ")}`);
  if (padding.length % 2 !== 0 || padding.length > 2 * shape.length || !padding.every(Number.isInteger)) {
    throw new ShapeError(
      `pad: padding ${showShape(padding)} must be integers in pairs [before, after], the last axis first, for at most ${shape.length} axes`,
    );
  }
  return shape.map((size, axis) => {
    const [before = 0, after = 0] = padding.slice(2 * (shape.length - 1 - axis), 2 * (shape.length - axis));
    const padded = size + before + after;
    const fail = (rule: string) =>
      new ShapeError(`pad: ${mode} padding of [${before}, ${after}] on axis ${axis} of ${showShape(shape)}: ${rule}`);
    if (padded < 0) throw fail("more is cropped than there is");
    const most = Math.max(before, after);
    if (mode === "reflect" && most > 0 && most >= size) throw fail("must be less than the size of the axis");
    if (mode === "replicate" && most > 0 && size === 0) throw fail("there is no element to repeat");
    if (mode !== "circular") return { size, padded, before, first: 0, period: size };
    if (most > size) throw fail("must not be more than the size of the axis");
    const first = Math.max(0, -before);
    const period = size - first - Math.max(0, -after);
    if (most > Math.max(0, period)) throw fail("must not be more than what cropping leaves");
    return { size, padded, before: Math.max(0, before), first, period };
  });
}

/** Shape rule of `roll`. Throws `ShapeError`. */
export function rollAxes(shape: Shape, shifts: readonly number[], axes: readonly number[]): PadAxis[] {
  if (shifts.length !== axes.length || !shifts.every(Number.isInteger)) {
    throw new ShapeError(
      `roll: needs an integer shift for each axis, got shifts ${showShape(shifts)} and axes ${showShape(axes)}`,
    );
  }
  const list = shape.map(untouched);
  axes.forEach((axis, i) => {
    const at = normalizeAxis("roll", axis, shape.length);
    // An axis named twice rolls twice.
    if (shape[at] > 0) list[at] = { ...list[at], before: (((list[at].before + shifts[i]) % shape[at]) + shape[at]) % shape[at] };
  });
  return list;
}

const changedAxes = (axes: readonly PadAxis[]): number[] => axes.flatMap((a, i) => (isUntouched(a) ? [] : [i]));

const paddedShape = (axes: readonly PadAxis[]): number[] => axes.map((a) => a.padded);

// Neighboring axes that stay as they are become one: each costs a division per element.
function merge(axes: readonly PadAxis[]): PadAxis[] {
  const out: PadAxis[] = [];
  for (const axis of axes) {
    const last = out.at(-1);
    if (last && isUntouched(last) && isUntouched(axis)) out[out.length - 1] = untouched(last.size * axis.size);
    else out.push(axis);
  }
  return out;
}

const bits = new DataView(new ArrayBuffer(4));

/** `x` with each axis mapped as `axes` tells; `value` fills in constant mode. Throws `ShapeError` for more than eight axes, `DTypeError`. */
export function pad(op: string, x: Tensor, axes: readonly PadAxis[], mode: PadMode, value = 0): Tensor {
  const y = x.device.empty(paddedShape(axes), x.dtype);
  if (y.size === 0) return y;
  const changed = changedAxes(axes);
  const at = changed[0] ?? axes.length - 1;
  const samples = sizeOf(x.shape.slice(0, at));
  if (changed.length > 1 && Math.max(x.bytes, y.bytes) / samples > x.device.maxBindingSize) {
    y.dispose();
    return axisByAxis(x, changed, (t, at) =>
      pad(
        op,
        t,
        axes.map((a, i) => (i === at ? a : untouched(t.shape[i]))),
        mode,
        value,
      ),
    );
  }
  if (x.dtype === "f32" || half(x)) bits.setFloat32(0, value);
  else bits.setInt32(0, value);
  const fill = bits.getInt32(0);
  const length = changed.length > 1 ? 1 : sizeOf(x.shape.slice(at + 1));
  eachPart(op, { samples, length }, [read(x), write(y)], ([from, to], part) => {
    const rest = part.length === length ? axes.slice(at) : [axes[at], untouched(part.length)];
    dispatch(op, from, to, [untouched(part.samples), ...rest], mode, fill);
  });
  return y;
}

// Copies of copies: for tensors over the binding limit, and gradients.
function axisByAxis(t: Tensor, axes: readonly number[], step: (t: Tensor, axis: number) => Tensor): Tensor {
  let y = t.view(t.shape);
  for (const axis of axes) {
    const next = step(y, axis);
    y.dispose();
    y = next;
  }
  return y;
}

function dispatch(op: string, x: Tensor, y: Tensor, axes: readonly PadAxis[], mode: PadMode, fill: number): void {
  const list = merge(axes);
  const strides = stridesOf(list.map((a) => a.size));
  const words = (values: readonly number[], rest: number) => axisWords(op, values, rest);
  const width = list.at(-1)!.padded;
  const each = share(x.device, y.size);
  const pieces = Math.ceil(width / each);
  const count = (y.size / width) * pieces;
  x.device.run(
    forwardShader[half(x) ? "half" : "word"]({
      consts: { AXES: list.length },
      overrides: { MODE: modes[mode] },
      variant: mode,
      params: {
        shape: words(paddedShape(list), 1),
        source: words(
          list.map((a) => a.period),
          1,
        ),
        before: words(
          list.map((a) => a.before),
          0,
        ),
        stride: words(strides, 0),
        start: list.reduce((sum, a, i) => sum + a.first * strides[i], 0),
        fill,
        each,
        pieces,
        count,
      },
      bind: { x, y: write(y) },
      workgroups: grid(x.device, op, count, 64),
    }),
  );
}

/** Gradient of `pad` for its input. */
export function padGradient(dy: Tensor, axes: readonly PadAxis[], mode: PadMode): Tensor {
  if (mode === "constant") {
    const back = axes.map((a) => ({ size: a.padded, padded: a.size, before: -a.before, first: 0, period: a.padded }));
    return pad("pad", dy, back, mode);
  }
  return axisByAxis(dy, changedAxes(axes), (t, i) => axisGradient(t, i, axes[i], mode));
}

function axisGradient(dy: Tensor, at: number, { size, padded, before, first, period }: PadAxis, mode: PadMode): Tensor {
  const dx = dy.device.empty(dy.shape.with(at, size), dy.dtype);
  if (dx.size === 0) return dx;
  const blocked = padded - size >= BLOCK; // an element has itself and at most what was added
  const [samples, length] = [sizeOf(dy.shape.slice(0, at)), sizeOf(dy.shape.slice(at + 1))];
  eachPart("pad", { samples, length }, [read(dy), write(dx)], ([from, to], part) => {
    dy.device.run(
      gradientShader({
        overrides: { MODE: modes[mode], BLOCKED: blocked ? 1 : 0 },
        variant: blocked ? `${mode} blocked` : mode,
        half: half(dy),
        params: { size, padded, before, first, period, inner: part.length, count: to.size },
        bind: { dy: from, dx: write(to) },
        workgroups: grid(dy.device, "pad", to.size, 64),
      }),
    );
  });
  return dx;
}
