/**
 * @file Views whose last axis is another than the one that lies densely in memory: planes of both are turned in the module's memory, square by square.
 * Where rows of a plane are far apart, some planes next to each other are fetched and put back at once.
 */
import { bytesOf, type TypedArray } from "../array.ts";
import { stridesOf } from "../shape.ts";
import { lanesOf } from "./chunks.ts";
import { transpose, type Transpose } from "./mixing.ts";
import { collectedRoom, places, rowRoom } from "./places.ts";
import { transposeBytes } from "./transpose_bytes.ts";

const lanesFor = /* @__PURE__ */ lanesOf({ transpose, transposeBytes });

/** Elements along a side of a square that a kernel turns, by the bytes of an element. */
const sides: Readonly<Record<number, number>> = { 1: 8, 4: 4 };

/** Where an axis is in the source and in the result, all in bytes; `step` is from one index to the next. */
interface Axis {
  readonly size: number;
  readonly step: number;
  readonly to: number;
}

/**
 * Fills `out` with a view of `data`, whose axis `dense` has a stride of 1 or −1; false where the kernels are not to be had, for other elements, for small
 * planes, and where neither rows nor planes are neighbors.
 */
export function turnPlanes(
  data: TypedArray,
  out: TypedArray,
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  dense: number,
): boolean {
  const size = data.BYTES_PER_ELEMENT;
  const side = sides[size];
  const last = shape.length - 1;
  if (!side || Math.min(shape[dense], shape[last]) < side) return false;
  const lanes = lanesFor(out.byteLength >> 2);
  if (!lanes) return false;
  const steps = stridesOf(shape);
  const axis = (a: number): Axis => ({ size: shape[a], step: strides[a] * size, to: steps[a] * size });
  const [row, column] = [axis(dense), axis(last)];
  const rowBytes = row.size * size;
  // Planes side by side: in the source their rows are neighbors, in the result their lines, or each is in one piece.
  const beside = shape.findIndex(
    (_, a) => a !== dense && (a === last - 1 || (a < dense && dense === last - 1)) && Math.abs(strides[a] * size) === rowBytes,
  );
  const inside = last - 1 === dense && Math.abs(column.step) === rowBytes;
  const atOnce = Math.floor(Math.min(rowRoom.sources, collectedRoom) / (rowBytes * column.size));
  if (beside < 0 && atOnce < 1 && dense === last - 1) {
    // Axes that were joined: pieces of the long one are planes side by side.
    const most = Math.floor(rowRoom.sources / (leastPlanes * column.size * size));
    const piece = largestDivisor(row.size, most);
    if (piece < side) return false;
    const [sizes, steps] = [
      shape.toSpliced(dense, 1, row.size / piece, piece),
      strides.toSpliced(dense, 0, strides[dense] * piece),
    ];
    return turnPlanes(data, out, sizes, steps, start, dense + 1);
  }
  if ((beside < 0 && !inside) || atOnce < 1 || (beside >= 0 && atOnce < Math.min(leastPlanes, shape[beside]))) return false;
  const others = shape.flatMap((_, a) => (a === dense || a === last || a === beside ? [] : [axis(a)]));
  const { memory, kernels } = lanes;
  const kernel = size === 1 ? kernels.transposeBytes : kernels.transpose;
  const block: Block = { memory, kernel, data: bytesOf(data), out: bytesOf(out), row, column, size, side };
  eachPlace(others, start * size, (from, to) => {
    if (beside < 0) turnPlane(block, from, to);
    else turnBeside(block, axis(beside), Math.min(atOnce, mostPlanes), from, to);
  });
  return true;
}

function largestDivisor(n: number, most: number): number {
  let d = Math.min(n, most);
  while (d > 1 && n % d !== 0) d--;
  return d;
}

/** Fewer planes at a time are not worth it; of more, each is no faster. */
const leastPlanes = 4;
const mostPlanes = 16;

interface Block {
  readonly memory: WebAssembly.Memory;
  /** Turns squares of elements of this size. */
  readonly kernel: Transpose;
  readonly data: Uint8Array;
  readonly out: Uint8Array;
  /** The dense axis. */
  readonly row: Axis;
  /** The last one of the result. */
  readonly column: Axis;
  readonly size: number;
  readonly side: number;
}

function eachPlace(axes: readonly Axis[], from: number, visit: (from: number, to: number) => void): void {
  const index = new Int32Array(axes.length);
  const count = axes.reduce((n, a) => n * a.size, 1);
  for (let n = 0, f = from, t = 0; n < count; n++) {
    visit(f, t);
    for (let a = axes.length - 1; a >= 0; a--) {
      const { size, step, to } = axes[a];
      f += step;
      t += to;
      if (++index[a] < size) break;
      f -= step * size;
      t -= to * size;
      index[a] = 0;
    }
  }
}

/** The least place that `size` steps reach, from where they begin. */
const lowest = ({ size, step }: Axis): number => Math.min(0, step * (size - 1));

/** A plane that is one piece in both. */
function turnPlane({ memory, kernel, data, out, row, column, size, side }: Block, from: number, to: number): void {
  const low = from + lowest(row) + lowest(column);
  const bytes = row.size * column.size * size;
  const room = new Uint8Array(memory.buffer, places.sources, bytes);
  room.set(data.subarray(low, low + bytes));
  turn(kernel, { row, column, size, side }, places.sources + from - low, column.step, places.collected, column.size * size);
  out.set(new Uint8Array(memory.buffer, places.collected, bytes), to);
}

/** Planes side by side, some at a time. */
function turnBeside(
  { memory, kernel, data, out, row, column, size, side }: Block,
  beside: Axis,
  atOnce: number,
  from: number,
  to: number,
): void {
  const room = new Uint8Array(memory.buffer, places.sources, rowRoom.sources);
  const line = column.size * size;
  const plane = row.size * line;
  const inPieces = row.to === line;
  for (let p = 0; p < beside.size; p += atOnce) {
    const count = Math.min(atOnce, beside.size - p);
    const first = from + p * beside.step;
    const low = first + lowest(row) + lowest({ ...beside, size: count });
    const piece = count * row.size * size;
    for (let c = 0; c < column.size; c++)
      room.set(data.subarray(low + c * column.step, low + c * column.step + piece), c * piece);
    const [apart, pitch] = inPieces ? [plane, line] : [line, count * line];
    for (let k = 0; k < count; k++) {
      const source = places.sources + first + k * beside.step - low;
      turn(kernel, { row, column, size, side }, source, piece, places.collected + k * apart, pitch);
    }
    const collected = new Uint8Array(memory.buffer, places.collected, count * plane);
    const target = to + p * beside.to;
    if (inPieces) for (let k = 0; k < count; k++) out.set(collected.subarray(k * plane, (k + 1) * plane), target + k * beside.to);
    else for (let r = 0; r < row.size; r++) out.set(collected.subarray(r * pitch, (r + 1) * pitch), target + r * row.to);
  }
}

/**
 * A plane in memory: element (r, c) is at `from` + r · row.step + c · `apart`, and goes to `to` + r · `pitch` + c · size. Squares at the ends may overlap those
 * before.
 */
function turn(
  kernel: Transpose,
  { row, column, size, side }: Pick<Block, "row" | "column" | "size" | "side">,
  from: number,
  apart: number,
  to: number,
  pitch: number,
): void {
  const square = side * size;
  const bytes = row.size * size;
  const whole = bytes - (bytes % square);
  // Read upwards in memory: the lines of the result come in reverse where the axis does.
  const low = from + lowest(row);
  const [first, lineStep] = row.step > 0 ? [to, pitch] : [to + (row.size - 1) * pitch, -pitch];
  for (let done = 0; done < column.size; done += side) {
    const c = Math.min(done, column.size - side);
    const [source, target] = [low + c * apart, first + c * size];
    kernel(source, source + whole, apart, square, target, lineStep, side * lineStep);
    if (whole === bytes) continue;
    const end = source + bytes;
    kernel(end - square, end, apart, square, target + (row.size - side) * lineStep, lineStep, side * lineStep);
  }
}

/** `rows` rows of `columns` float32 in memory, four or more of both, become columns. */
export function turnFloats(kernel: Transpose, from: number, rows: number, columns: number, to: number): void {
  turn(
    kernel,
    { row: { size: columns, step: 4, to: 0 }, column: { size: rows, step: 0, to: 0 }, size: 4, side: 4 },
    from,
    4 * columns,
    to,
    4 * rows,
  );
}
