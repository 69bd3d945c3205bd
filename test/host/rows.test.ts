/** @file Rows moved by long copies, in the module's memory and in words of 8 bytes give what one element after the other does. */
import { expect, test } from "vitest";
import { takeAxes } from "../../src/data/transforms/spatial/take.ts";
import { sizeOf, type TypedArray } from "../../src/host/array.ts";
import { stridesOf } from "../../src/host/shape.ts";
import { copyView, emptyLike } from "../../src/host/strided.ts";

const kinds = [Uint8Array, Int16Array, Float32Array, Int32Array, Float64Array] as const;

/** Bytes of everything, NaN with odd bits too, at a place that is no multiple of 8 where `shift` says so. */
function noise(kind: (typeof kinds)[number], length: number, shift: number): TypedArray {
  const bytes = new Uint8Array((length + shift) * kind.BYTES_PER_ELEMENT);
  for (let i = 0, word = 1; i < bytes.length; i++) bytes[i] = (word = Math.imul(word, 1664525) + 1013904223) >>> 24;
  return new kind(bytes.buffer, shift * kind.BYTES_PER_ELEMENT, length);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

const words = (data: TypedArray) =>
  new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[data.BYTES_PER_ELEMENT as 1 | 2 | 4 | 8](
    data.buffer as ArrayBuffer,
    data.byteOffset,
    data.length,
  );

/** The bytes of elements at some places; −1 is `fill`. */
function picked(data: TypedArray, places: ArrayLike<number>, fill = 0): Buffer {
  const out = emptyLike(data, places.length);
  out.fill(fill);
  const [from, to] = [words(data), words(out)];
  for (let i = 0; i < places.length; i++) if (places[i] >= 0) to[i] = from[places[i]];
  return bytesOf(out);
}

/** Places of a view's elements. */
function walked(shape: readonly number[], strides: readonly number[], start: number): number[] {
  let places = [start];
  shape.forEach((n, a) => (places = places.flatMap((at) => Array.from({ length: n }, (_, i) => at + i * strides[a]))));
  return places;
}

test("turns, mirrors and crops of all kinds of elements", () => {
  for (const shape of [
    [2, 20, 24, 64],
    [1, 33, 23, 61],
    [2, 7, 30, 150],
  ]) {
    const [c, x, y, z] = stridesOf(shape);
    const [channels, nx, ny, nz] = shape;
    const views: [number[], number[], number][] = [
      [shape, [c, x, y, -z], (nz - 1) * z],
      [shape, [c, -x, y, -z], (nx - 1) * x + (nz - 1) * z],
      [shape, [c, -x, -y, z], (nx - 1) * x + (ny - 1) * y],
      [[channels, ny, nx, nz], [c, -y, x, z], (ny - 1) * y],
      [[channels, nz, ny, nx], [c, -z, y, x], (nz - 1) * z],
      [[channels, nx, nz, ny], [c, x, z, -y], (ny - 1) * y],
      [[channels, ny, nz, nx], [c, y, z, -x], (nx - 1) * x],
      [[channels, ny, nz, nx], [c, -y, -z, x], (ny - 1) * y + (nz - 1) * z],
      [[channels, nx - 4, ny - 3, nz - 16], [c, x, y, z], 2 * x + y + 8 * z],
      [[channels, nx - 4, ny - 3, nz - 15], [c, x, y, z], 2 * x + y + 7 * z],
    ];
    for (const [to, strides, start] of views) {
      const places = walked(to, strides, start);
      for (const [i, kind] of kinds.entries()) {
        const data = noise(kind, sizeOf(shape), i % 2);
        const out = copyView(data, to, strides, start).data;
        const name = `${kind.name} [${shape.join()}] by [${strides.join()}]`;
        expect(Buffer.compare(bytesOf(out), picked(data, places)), name).toBe(0);
      }
    }
  }
});

test("planes of joined axes, larger than there is room for", () => {
  for (const [nx, ny, nz] of [
    [40, 90, 96],
    [160, 61, 53],
  ]) {
    const [x, y] = [ny * nz, nz];
    const shape = [ny, nz, nx];
    for (const [strides, start] of [
      [[-y, -1, x], ny * nz - 1],
      [[y, 1, -x], (nx - 1) * x],
    ] as const) {
      const data = noise(Float32Array, sizeOf(shape), 0);
      const out = copyView(data, shape, strides, start).data;
      expect(Buffer.compare(bytesOf(out), picked(data, walked(shape, strides, start))), String(strides)).toBe(0);
    }
  }
});

test("rows of chosen columns: mirrored, repeated, with holes, near and far", () => {
  const shape = [2, 12, 20, 90];
  const range = (n: number, at: (i: number) => number) => Int32Array.from({ length: n }, (_, i) => at(i));
  const columns = {
    mirrored: range(130, (i) => Math.abs(((i - 20 + 178) % 178) - 89)),
    edges: range(120, (i) => Math.min(89, Math.max(0, i - 17))),
    holes: range(122, (i) => (i < 13 || i > 102 ? -1 : i - 13)),
    nearest: range(72, (i) => Math.floor(i * 1.25)),
    finer: range(200, (i) => Math.floor(i * 0.45)),
    far: range(64, (i) => (i * 37) % 90),
    reversed: range(90, (i) => 89 - i),
  };
  const outer = [range(15, (i) => (i === 4 ? -1 : i % 12)), range(26, (i) => (i < 3 ? 3 - i : i > 22 ? -1 : i - 3))];
  for (const [name, list] of Object.entries(columns)) {
    const index = [...outer, list];
    const strides = stridesOf(shape);
    let places = walked([2], [strides[0]], 0);
    index.forEach((along, a) => {
      places = places.flatMap((at) => Array.from(along, (k) => (at < 0 || k < 0 ? -1 : at + k * strides[a + 1])));
    });
    for (const [i, kind] of kinds.entries()) {
      const data = noise(kind, sizeOf(shape), i % 2);
      const out = takeAxes({ data, shape }, index, 7).data;
      expect(Buffer.compare(bytesOf(out), picked(data, places, 7)), `${kind.name} ${name}`).toBe(0);
    }
  }
});
