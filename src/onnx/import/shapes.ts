/** @file Rules of the operators that move elements, the same for values on the host and on the device. */

import { sizeOf } from "../../host/array.ts";
import type { Call } from "./call.ts";

type Shape = readonly number[];

/** The shape that Reshape asks for, without −1 and 0. */
export function reshaped(c: Call, from: Shape): number[] {
  const wanted = c.opset < 5 ? [...(c.ints("shape") ?? [])] : c.list(1)!;
  const zeros = c.flag("allowzero");
  const shape = wanted.map((d, i) => (d === 0 && !zeros ? (from[i] ?? 0) : d));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = sizeOf(from) / sizeOf(shape.toSpliced(open, 1));
  if (!shape.every((d) => Number.isInteger(d) && d >= 0) || sizeOf(shape) !== sizeOf(from)) {
    throw c.wrong(`[${from.join(", ")}] does not fit the shape [${wanted.join(", ")}]`);
  }
  return shape;
}

/** Two axes: those before `axis`, and those from it on. */
export function flattened(c: Call, from: Shape): number[] {
  const axis = c.int("axis", 1);
  const at = axis < 0 ? axis + from.length : axis;
  if (at < 0 || at > from.length) throw c.wrong(`axis ${axis} is outside of a tensor of ${from.length} axes`);
  return [sizeOf(from.slice(0, at)), sizeOf(from.slice(at))];
}

/** The axes that Squeeze takes away. */
export function squeezedAxes(c: Call, from: Shape): number[] {
  const axes = c.listOr("axes", 1, 13)?.map((a) => c.axis(a, from.length));
  if (!axes) return from.flatMap((d, i) => (d === 1 ? [i] : []));
  if (axes.some((a) => from[a] !== 1)) throw c.wrong(`axes [${axes.join(", ")}] of [${from.join(", ")}] are not all of size 1`);
  return axes;
}

/** The axes of the result that Unsqueeze makes, the first one first. */
export function unsqueezedAxes(c: Call, from: Shape): number[] {
  const axes = c.listOr("axes", 1, 13) ?? [];
  const at = new Set(axes.map((a) => c.axis(a, from.length + axes.length)));
  if (at.size !== axes.length) throw c.wrong(`an axis is named twice in [${axes.join(", ")}]`);
  return [...at].sort((a, b) => a - b);
}

export function permutation(c: Call, rank: number): readonly number[] {
  const axes = c.ints("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (axes.length !== rank || new Set(axes).size !== rank || axes.some((a) => a < 0 || a >= rank)) {
    throw c.wrong(`perm [${axes.join(", ")}] is not a permutation of ${rank} axes`);
  }
  return axes;
}

/** A run of an axis; `step` may be negative. */
export interface Run {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** What Slice takes of each axis. */
export function sliceRuns(c: Call, from: Shape): Run[] {
  c.expectMoved(["starts", "ends", "axes"], 1, 10);
  const attributes = c.opset < 10;
  const starts = (attributes ? c.ints("starts") : c.list(1)) ?? [];
  const ends = (attributes ? c.ints("ends") : c.list(2)) ?? [];
  const axes = (attributes ? c.ints("axes") : c.list(3)) ?? starts.map((_, i) => i);
  const steps = (attributes ? undefined : c.list(4)) ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    throw c.wrong(`${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`);
  }
  const runs = from.map((size): Run => ({ start: 0, count: size, step: 1 }));
  axes.forEach((a, i) => {
    const axis = c.axis(a, from.length);
    const size = from[axis];
    const step = steps[i];
    if (!Number.isInteger(step) || step === 0) throw c.wrong(`a step of ${step}`);
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (v: number) => Math.min(high, Math.max(low, v < 0 ? v + size : v));
    const start = step > 0 ? clamp(starts[i]) : Math.max(0, clamp(starts[i]));
    const count = size === 0 ? 0 : Math.max(0, Math.ceil((clamp(ends[i]) - start) / step));
    runs[axis] = { start, count, step };
  });
  return runs;
}

/** The sizes of the parts that Split makes of an axis. */
export function splitParts(c: Call, size: number): number[] {
  const given = c.listOr("split", 1, 13);
  if (given) return [...given];
  const parts = c.int("num_outputs", c.node.outputs.length);
  if (parts < 1 || parts !== c.node.outputs.length) throw c.wrong(`num_outputs ${parts} for ${c.node.outputs.length} outputs`);
  const each = Math.ceil(size / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, size - i * each)));
}

/** The axes of a reduction, undefined for none at all. */
export function reducedAxes(c: Call, rank: number, since: number): number[] | undefined {
  const axes = c.listOr("axes", 1, since) ?? [];
  if (axes.length > 0) return axes.map((a) => c.axis(a, rank));
  return c.flag("noop_with_empty_axes") ? undefined : Array.from({ length: rank }, (_, i) => i);
}
