/**
 * @file Elements from one order of axes into another. Either side of a transposition is strided, and a whole column of cache lines would not
 * stay in the cache, so it goes in tiles of the two axes that are contiguous on one side each.
 */

/** What elements of one width are moved as: four array types instead of eight keep the loops fast. */
export type Bits = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** A view that moves elements of a width without looking at them. `bytes` must begin at a multiple of the width. */
export function bitsOf(bytes: Uint8Array, width: number): Bits {
  const array = width === 1 ? Uint8Array : width === 2 ? Uint16Array : width === 4 ? Uint32Array : Float64Array;
  return new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / width);
}

/** An axis of a move: how many elements, and how far apart they are on either side. */
export interface MovedAxis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Copies the elements of all combinations of the axes, from and to the given first ones. Axes may come in any order. */
export function moveElements(from: Bits, to: Bits, axes: readonly MovedAxis[], first: { from: number; to: number }): void {
  const long = axes.filter((a) => a.size > 1);
  if (axes.some((a) => a.size === 0)) return;
  const nearest = (side: "from" | "to") => long.reduce((best, a) => (a[side] < best[side] ? a : best), long[0]);
  if (long.length === 0) return void (to[first.to] = from[first.from]);
  const [source, target] = [nearest("from"), nearest("to")];
  const outer = long.filter((a) => a !== source && a !== target);
  const index = outer.map(() => 0);
  let [f, t] = [first.from, first.to];
  for (;;) {
    if (source === target) moveLine(from, to, source, f, t);
    else moveTiles(from, to, source, target, f, t);
    let a = 0;
    for (; a < outer.length; a++) {
      f += outer[a].from;
      t += outer[a].to;
      if (++index[a] < outer[a].size) break;
      f -= outer[a].from * outer[a].size;
      t -= outer[a].to * outer[a].size;
      index[a] = 0;
    }
    if (a === outer.length) return;
  }
}

function moveLine(from: Bits, to: Bits, axis: MovedAxis, f: number, t: number): void {
  if (axis.from === 1 && axis.to === 1) return to.set(from.subarray(f, f + axis.size), t);
  for (let i = 0; i < axis.size; i++) to[t + i * axis.to] = from[f + i * axis.from];
}

function moveTiles(from: Bits, to: Bits, source: MovedAxis, target: MovedAxis, f: number, t: number): void {
  const tile = 32;
  const [sf, st, tf, tt] = [source.from, source.to, target.from, target.to];
  for (let i0 = 0; i0 < source.size; i0 += tile) {
    const i1 = Math.min(i0 + tile, source.size);
    for (let j0 = 0; j0 < target.size; j0 += tile) {
      const j1 = Math.min(j0 + tile, target.size);
      for (let i = i0; i < i1; i++) {
        let [at, into] = [f + i * sf + j0 * tf, t + i * st + j0 * tt];
        for (let j = j0; j < j1; j++, at += tf, into += tt) to[into] = from[at];
      }
    }
  }
}
