/** @file Strided copies in both directions: one side contiguous, the other at `start + Σ index·stride`. All views that move elements are these. */

import { DTypeError, ShapeError } from "../../host/errors.ts";
import { type DType, sizeOf } from "../../host/array.ts";
import { write } from "../../tensor/kernel.ts";
import { type Shape, showShape } from "../../host/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { share } from "./occupancy.ts";
import { bindable, fits, tooLarge } from "./pieces.ts";
import { grid } from "./workgroups.ts";
import { gatherShader } from "../shaders/view/gather.gen.ts";
import { scatterShader } from "../shaders/view/scatter.gen.ts";

/** Axes that a uniform block has room for, after merging. */
export const maxAxes = 8;

/** What a copy moves per thread: the fragment that its shader is to choose. */
export function wordKind(dtype: DType, wide: boolean): "word" | "word4" | "half" | "half4" {
  if (dtype === "f16") return wide ? "half4" : "half";
  return wide ? "word4" : "word";
}

/** For kernels that move 32-bit words only. Throws `DTypeError` for f16. */
export function expectWords(op: string, dtype: DType): void {
  if (dtype === "f16") throw new DTypeError(`${op}: the tensor has type f16, expected f32, i32 or u32`);
}

/** A list for a uniform block: last axis first, padded to eight. Throws `ShapeError` for more. */
export function axisWords(op: string, list: readonly number[], fill: number): number[] {
  if (list.length > maxAxes) throw new ShapeError(`${op}: more than ${maxAxes} axes in ${showShape(list)}`);
  return [...list.toReversed(), ...new Array<number>(maxAxes - list.length).fill(fill)];
}

export interface Layout {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The same addresses in the same order with as few axes as possible: axes of size 1 go, and runs of runs become one run. */
export function mergeAxes({ shape, strides }: Layout): Layout {
  const sizes: number[] = [];
  const steps: number[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const last = steps.length - 1;
    if (last >= 0 && steps[last] === size * strides[i]) {
      sizes[last] *= size;
      steps[last] = strides[i];
    } else {
      sizes.push(size);
      steps.push(strides[i]);
    }
  });
  return { shape: sizes, strides: steps };
}

/** Elements `start + Σ index·stride` of `x` as a tensor of shape `shape`. Throws `ShapeError`. */
export function gather(op: string, x: Tensor, shape: Shape, strides: readonly number[], start: number): Tensor {
  const layout = mergeAxes({ shape, strides });
  if (layout.shape.length > maxAxes) throw tooManyAxes(op, shape);
  const y = x.device.empty(shape, x.dtype);
  if (y.size === 0) return y;
  if (!copyRuns(x, y, layout, start, (at) => [start + at.there, at.here])) inPieces(op, gatherShader, x, y, layout, start);
  return y;
}

/** Writes all of `x` to elements `start + Σ index·stride` of `y`, which must be distinct. Throws `ShapeError`. */
export function scatter(op: string, x: Tensor, y: Tensor, strides: readonly number[], start: number): void {
  const layout = mergeAxes({ shape: x.shape, strides });
  if (layout.shape.length > maxAxes) throw tooManyAxes(op, x.shape);
  if (x.size === 0) return;
  if (!copyRuns(x, y, layout, start, (at) => [at.here, start + at.there])) inPieces(op, scatterShader, x, y, layout, start);
}

function tooManyAxes(op: string, shape: Shape): ShapeError {
  return new ShapeError(
    `${op}: more than ${maxAxes} axes in ${showShape(shape)} are left after neighbors that lie in one run are merged`,
  );
}

type Direction = typeof gatherShader | typeof scatterShader;

// More dispatches than this would mean a transposition whose every row reaches through the whole tensor.
const maxPieces = 4096;

interface Piece extends Layout {
  /** Where the piece begins on the contiguous side, and the strided one. */
  readonly first: number;
  readonly start: number;
}

// Halves the leading axes until both ends of a copy can be bound.
function inPieces(op: string, shader: Direction, x: Tensor, y: Tensor, whole: Layout, start: number): void {
  if (fits(x, y)) return dispatch(op, shader, x, y, whole, start);
  const gathers = shader === gatherShader;
  const [flat, other] = gathers ? [y, x] : [x, y];
  const width = elementBytes(x);
  const most = x.device.maxBindingSize / width;
  const pieces: Piece[] = [];
  const waiting: Piece[] = [{ ...whole, first: 0, start }];
  const before = other.byteOffset / width; // a view may begin where no binding may
  while (waiting.length > 0) {
    const piece = waiting.pop()!;
    const { shape, strides, first } = piece;
    if (sizeOf(shape) <= most && reach(piece, before).length <= most) {
      pieces.push(piece);
      continue;
    }
    const [size, ...rest] = shape;
    if (shape.length === 0 || pieces.length + waiting.length > maxPieces) throw tooLarge(op, x.bytes > y.bytes ? x : y);
    if (size === 1) waiting.push({ ...piece, shape: rest, strides: strides.slice(1) });
    else {
      // Pieces are copied to and from where bindings may begin, in words: of f16 they begin at even elements.
      const step = (width * sizeOf(rest)) % 4 === 0 ? 1 : 2;
      const half = step * Math.ceil(size / 2 / step);
      if (half === size) throw tooLarge(op, x.bytes > y.bytes ? x : y);
      const moved = { first: first + half * sizeOf(rest), start: piece.start + half * strides[0] };
      waiting.push({ shape: [half, ...rest], strides, first, start: piece.start });
      waiting.push({ shape: [size - half, ...rest], strides, ...moved });
    }
  }
  const part = (t: Tensor, from: number, count: number) =>
    new Tensor(t.device, t.storage.retain(), [count], t.dtype, t.byteOffset + width * from);
  for (const piece of pieces) {
    const { from, length } = reach(piece, before);
    const here = bindable(part(flat, piece.first, sizeOf(piece.shape)), gathers ? "write" : "read");
    const there = part(other, from, length);
    const [source, target] = gathers ? [there, here.tensor] : [here.tensor, there];
    dispatch(op, shader, source, target, piece, piece.start - from);
    here.done();
    there.dispose();
  }
}

// The elements that a piece touches on the strided side, from where a binding may start: a multiple of 256 bytes of the memory, `before` of which lies before
// the tensor.
function reach({ shape, strides, start }: Piece, before: number): { from: number; length: number } {
  const end = (pick: (a: number, b: number) => number) => shape.reduce((at, n, i) => at + pick(0, (n - 1) * strides[i]), start);
  const low = end(Math.min);
  const from = low - ((low + before) % 128);
  return { from, length: end(Math.max) + 1 - from };
}

// Shorter runs are not worth a thread of a software adapter.
const shortRun = 16;

function dispatch(op: string, shader: Direction, x: Tensor, y: Tensor, { shape, strides }: Layout, start: number): void {
  const last = Math.max(0, shape.length - 1);
  const [inner = 1, step = 1] = [shape[last], strides[last]];
  // Bindings start at multiples of 256 bytes, so what is a multiple of 4 here is aligned there.
  const wide = step === 1 && [inner, start, ...strides.slice(0, -1)].every((v) => v % 4 === 0);
  const width = wide ? 4 : 1;
  const sizes = [...shape.slice(0, -1), inner / width];
  const steps = [...strides.slice(0, -1).map((s) => s / width), step];
  // Threads of hardware are neighbors along the last axis, each with one word.
  const along = x.device.software && sizes[last] < shortRun ? sizes.indexOf(Math.max(...sizes)) : last;
  const words = sizeOf(sizes);
  const run = sizes[along];
  const each = share(x.device, words);
  const pieces = Math.ceil(run / each);
  const count = (words / run) * pieces;
  x.device.run(
    shader[wordKind(x.dtype, wide)]({
      consts: { AXES: last },
      overrides: { INSIDE: along === last ? 0 : 1 },
      variant: [wide ? "vec4" : "", along === last ? "" : "inside"].filter(Boolean).join(" ") || undefined,
      params: {
        shape: axisWords(op, sizes.toSpliced(along, 1), 1),
        stride: axisWords(op, steps.toSpliced(along, 1), 0),
        start: start / width,
        run,
        step: steps[along],
        inner: sizeOf(sizes.slice(along + 1)),
        each,
        pieces,
        count,
      },
      bind: { x, y: write(y) },
      workgroups: grid(x.device, op, count, 64),
    }),
  );
}

const elementBytes = (t: Tensor): number => (t.dtype === "f16" ? 2 : 4);

// On a software adapter a kernel moves an element in 5 ns of CPU time and more, a buffer copy in 0.3 ns, and a command costs microseconds: joining two
// [4, 16, 128, 128] on lavapipe takes 11 CPU-ms in the kernel and 1.2 as copies, with everything around them. Hardware copies in a kernel as fast as
// its memory goes, without leaving the compute pass.
const runBytes = 2 ** 14;
const maxRuns = 256;
// Where a plan cannot do without them, they are copies of their own.
const mostSamples = 16;

/** Elements from the start on the contiguous and on the strided side. */
interface Place {
  readonly here: number;
  readonly there: number;
}

/** Copies by runs if that pays; `ends` tells where a run lies in x and in y. */
function copyRuns(
  x: Tensor,
  y: Tensor,
  { shape, strides }: Layout,
  start: number,
  ends: (at: Place) => [from: number, to: number],
): boolean {
  const inner = strides.at(-1) === 1 ? shape.at(-1)! : 1;
  const runs = sizeOf(shape) / inner;
  // A plan can mostly do without a copy of runs at one distance, such as those of samples.
  const { capturing } = x.device;
  const planned = capturing && (runs === 1 || (shape.length === 2 && strides[0] >= inner && runs <= mostSamples));
  if (!x.device.software && !planned) return false;
  const width = elementBytes(x);
  // Buffer copies move whole words.
  const words = width === 4 || [inner, start, ...strides.slice(0, -1)].every((v) => v % 2 === 0);
  if (inner * width < runBytes || runs > maxRuns || !words) return false;
  if (planned && runs > 1) {
    const [first, second] = [ends({ here: 0, there: 0 }), ends({ here: inner, there: strides[0] })];
    const [from, to] = second.map((at, i) => width * (at - first[i]));
    const span = (runs - 1) * (from / width) + inner;
    const all = new Tensor(x.device, x.storage.retain(), [span], x.dtype, x.byteOffset + width * first[0]);
    x.device.stream.copy(all, y, width * first[1], { count: runs, bytes: width * inner, from, to });
    all.dispose();
    return true;
  }
  for (let k = 0; k < runs; k++) {
    let rest = k;
    let there = 0;
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      there += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    const [from, to] = ends({ here: k * inner, there });
    const run = new Tensor(x.device, x.storage.retain(), [inner], x.dtype, x.byteOffset + width * from);
    x.device.stream.copy(run, y, width * to);
    run.dispose();
  }
  return true;
}
