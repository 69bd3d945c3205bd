/**
 * @file Tensors over the binding limit. WebGPU binds at most `maxStorageBufferBindingSize` bytes of a buffer (128 MiB on many adapters), less than a
 * buffer may hold. A kernel whose leading axes are independent therefore runs once per piece of them, on views of the same memory.
 */

import { alignment } from "../../tensor/buffers.ts";
import type { Device } from "../../tensor/device.ts";
import { TensorTooLargeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import type { Access, Binding } from "../../tensor/kernel.ts";
import { showShape } from "../../host/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Whether one dispatch can bind all of each tensor. */
export function fits(...tensors: readonly (Tensor | undefined)[]): boolean {
  return tensors.every((t) => t === undefined || t.bytes <= t.device.maxBindingSize);
}

/** For an operation that would have to bind part of what does not split. */
export function tooLarge(op: string, t: Tensor): TensorTooLargeError {
  return new TensorTooLargeError(
    `${op}: a tensor ${showShape(t.shape)} of ${t.bytes} bytes does not split into pieces of this device's maxStorageBufferBindingSize of ` +
      `${t.device.maxBindingSize} bytes: use smaller patches or a smaller batch, or fewer channels`,
  );
}

const rowBytes = (t: Tensor): number => sizeOf(t.shape.slice(1)) * (t.dtype === "f16" ? 2 : 4);

/** Elements `start` to `start + count` of the leading axis: a view of the same memory. */
export function rows(t: Tensor, start: number, count: number): Tensor {
  const shape = [count, ...t.shape.slice(1)];
  return new Tensor(t.device, t.storage.retain(), shape, t.dtype, t.byteOffset + start * rowBytes(t));
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Rows per piece, so that every tensor's share can be bound; 0 if not even one row can. */
function rowsPerPiece(device: Device, tensors: readonly Tensor[]): number {
  const bytes = tensors.map(rowBytes);
  const most = Math.floor(device.maxBindingSize / Math.max(1, ...bytes));
  // Pieces that start at multiples of 256 bytes in every tensor need no copies, and copies move words.
  const even = Math.max(...bytes.map((b) => alignment / gcd(alignment, b)));
  const step = most >= even ? even : bytes.every((b) => b % 4 === 0) ? 1 : 2;
  return most - (most % step);
}

/** A tensor in the place of `t` that starts where a binding may; `done` writes back and frees both. */
export function bindable(t: Tensor, access: Access): { tensor: Tensor; done: () => void } {
  if (t.byteOffset % alignment === 0 || !fits(t)) return { tensor: t, done: () => t.dispose() };
  const { stream } = t.device;
  const tensor = t.device.empty(t.shape, t.dtype);
  if (access !== "write") stream.copy(t, tensor, 0);
  const done = () => {
    if (access !== "read") stream.copy(tensor, t, 0);
    tensor.dispose();
    t.dispose();
  };
  return { tensor, done };
}

/** Pieces of tensors, where they begin, and whether they can be bound. */
export interface Pieces {
  readonly tensors: readonly Tensor[];
  readonly start: number;
  readonly fit: boolean;
}

/**
 * Pieces along the first `axes` axes, which all tensors share: `[rows, rest…]` with the first of them, or once the tensors as they are if all can be
 * bound. What is given lives until the next is asked for. A piece that starts where no binding may is a copy. If one row is too large, the rows come one
 * by one and do not fit, for a caller who can split them further; for others (`deeper` false) that is a `TensorTooLargeError`.
 */
export function* pieces(op: string, axes: number, bindings: readonly Binding<Tensor>[], deeper = false): Generator<Pieces> {
  const given = bindings.map((b) => b.tensor);
  if (fits(...given)) return void (yield { tensors: given, start: 0, fit: true });
  const views = given.map((t) => t.view([sizeOf(t.shape.slice(0, axes)), ...t.shape.slice(axes)]));
  const total = views[0].shape[0];
  const most = rowsPerPiece(views[0].device, views);
  const step = Math.max(1, most);
  const fit = most >= 1;
  if (!fit && !deeper) throw tooLarge(op, given.toSorted((a, b) => b.bytes - a.bytes)[0]);
  for (let start = 0; start < total; start += step) {
    const count = Math.min(step, total - start);
    const cut = views.map((v, i) => bindable(rows(v, start, count), bindings[i].access));
    yield { tensors: cut.map((p) => p.tensor), start, fit };
    for (const p of cut) p.done();
  }
  for (const v of views) v.dispose();
}

/** Runs `body` on each of the pieces, or `deeper` on rows that are too large. */
export function eachPiece(
  op: string,
  axes: number,
  bindings: readonly Binding<Tensor>[],
  body: (tensors: readonly Tensor[], start: number) => void,
  deeper?: (tensors: readonly Tensor[], start: number) => void,
): void {
  for (const { tensors, start, fit } of pieces(op, axes, bindings, deeper !== undefined)) (fit ? body : deeper!)(tensors, start);
}

/**
 * The same under broadcasting: along each axis of `out` an operand is as long, or 1, or lacks it. Axes are cut from the left, each down to
 * single rows before the next.
 */
export function eachBroadcastPiece(
  op: string,
  operands: readonly Tensor[],
  out: Tensor,
  body: (operands: readonly Tensor[], out: Tensor) => void,
): void {
  if (fits(out, ...operands)) return body(operands, out);
  const axis = out.shape.findIndex((n) => n > 1);
  if (axis < 0) throw tooLarge(op, out);
  const rank = out.rank - axis;
  // What is before the axis has size 1.
  const [whole, ...views] = [out, ...operands].map((t) => t.view(t.shape.slice(Math.max(0, t.rank - rank))));
  const cut = views.map((v) => v.rank === rank && v.shape[0] > 1); // the others go along whole
  const step = Math.max(1, rowsPerPiece(out.device, [whole, ...views.filter((_, i) => cut[i])]));
  for (let start = 0; start < whole.shape[0]; start += step) {
    const count = Math.min(step, whole.shape[0] - start);
    const pieces = views.map((v, i) => (cut[i] ? bindable(rows(v, start, count), "read") : undefined));
    const target = bindable(rows(whole, start, count), "write");
    const given = pieces.map((p, i) => p?.tensor ?? views[i]);
    eachBroadcastPiece(op, given, target.tensor, body);
    for (const p of [...pieces, target]) p?.done();
  }
  for (const v of [whole, ...views]) v.dispose();
}
