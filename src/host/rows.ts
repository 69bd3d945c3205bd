/** @file Rows put where they belong: read in the order in which they lie in memory, which the processor sees coming, and written wherever that is. */
import type { TypedArray } from "./array.ts";
import { stridesOf } from "./shape.ts";

/** Longer rows, in bytes, are copied faster by a call: where they come one behind the other, and where they do not. */
const longRow = { inOrder: 2048, else: 4096 } as const;
/** Rows of fewer elements are not. */
const shortRow = 96;

/** Copies a view whose last stride is 1 into `out`, row-major; both are words of one size, as `asWords` makes them. */
export function placeRows(
  out: TypedArray,
  data: TypedArray,
  { shape, strides }: { readonly shape: readonly number[]; readonly strides: readonly number[] },
  start: number,
): void {
  const width = shape.at(-1)!;
  const steps = stridesOf(shape);
  let [from, to] = [start, 0];
  const outer = shape.slice(0, -1).map((size, a) => {
    const sign = strides[a] < 0 ? -1 : 1;
    // An axis that goes back is walked from its end.
    if (sign < 0) [from, to] = [from + strides[a] * (size - 1), to + steps[a] * (size - 1)];
    return { size, from: sign * strides[a], to: sign * steps[a] };
  });
  const axes = outer.toSorted((a, b) => b.from - a.from);
  const inOrder = axes.every((axis, a) => axis === outer[a] && axis.to > 0);
  const walk: Walk = { axes, from, to };
  const bytes = width * data.BYTES_PER_ELEMENT;
  const count = axes.reduce((n, a) => n * a.size, 1);
  if (bytes < longRow[inOrder ? "inOrder" : "else"] && copyPairs(out, data, walk, width, count)) return;
  if (width >= shortRow) eachRow(walk, count, (f, t) => out.set(data.subarray(f, f + width), t));
  else
    eachRow(walk, count, (f, t) => {
      for (let i = 0; i < width; i++) out[t + i] = data[f + i];
    });
}

/** Rows along axes, the first the slowest. */
interface Walk {
  readonly axes: readonly { readonly size: number; readonly from: number; readonly to: number }[];
  readonly from: number;
  readonly to: number;
}

function eachRow({ axes, from, to }: Walk, count: number, visit: (from: number, to: number) => void): void {
  const index = new Int32Array(axes.length);
  for (let n = 0, f = from, t = to; n < count; n++) {
    visit(f, t);
    for (let a = axes.length - 1; a >= 0; a--) {
      const axis = axes[a];
      f += axis.from;
      t += axis.to;
      if (++index[a] < axis.size) break;
      f -= axis.from * axis.size;
      t -= axis.to * axis.size;
      index[a] = 0;
    }
  }
}

/** V8 moves 64-bit integers as they are; engines that make an object of each would be slower than with the words themselves. */
const movesPairs = "Buffer" in globalThis || "userAgentData" in (globalThis.navigator ?? {});

/** Copies rows in words of 8 bytes; false where not everything is a multiple of them. */
function copyPairs(out: TypedArray, data: TypedArray, walk: Walk, width: number, count: number): boolean {
  const per = 8 / data.BYTES_PER_ELEMENT;
  const numbers = [width, walk.from, walk.to, ...walk.axes.flatMap((a) => [a.from, a.to])];
  if (!movesPairs || data.byteOffset % 8 !== 0 || out.byteOffset % 8 !== 0 || numbers.some((n) => n % per !== 0)) return false;
  const words = (x: TypedArray) => new BigInt64Array(x.buffer, x.byteOffset, Math.floor(x.length / per));
  const places = new Int32Array(2 * count);
  let n = 0;
  eachRow(walk, count, (from, to) => {
    places[n++] = from / per;
    places[n++] = to / per;
  });
  movePairs(words(data), words(out), places, width / per);
  return true;
}

/** Rows of `width` words between pairs of places. */
function movePairs(data: BigInt64Array, out: BigInt64Array, places: Int32Array, width: number): void {
  for (let n = 0; n < places.length; n += 2) {
    const from = places[n];
    const to = places[n + 1];
    let i = 0;
    for (; i + 3 < width; i += 4) {
      out[to + i] = data[from + i];
      out[to + i + 1] = data[from + i + 1];
      out[to + i + 2] = data[from + i + 2];
      out[to + i + 3] = data[from + i + 3];
    }
    for (; i < width; i++) out[to + i] = data[from + i];
  }
}
