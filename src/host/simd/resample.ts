/** @file Volumes resampled along their three axes by the WebAssembly kernels: what is between the axes never leaves the module's memory. */
import { lanesOf, type LanesOf } from "./chunks.ts";
import { mix, mixByTable, transpose } from "./mixing.ts";
import { chunkSize, places, planeSize, rowSize } from "./places.ts";

const lanesFor = /* @__PURE__ */ lanesOf({ mix, mixByTable, transpose });
type Lanes = LanesOf<typeof lanesFor>;

/** Two neighbors of each output, where none has more; a single one is given twice, each time with half of its weight. */
export interface Pairs {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly lowWeight: Float64Array;
  readonly highWeight: Float64Array;
}

type Shape = readonly [channels: number, x: number, y: number, z: number];

/** Bytes of an entry of the kernel's table. */
const entry = 24;

/** Resamples `data` of `shape` into `out` by pairs along each axis; false where the kernels are not to be had, an axis is no pairs, or planes are too large. */
export function resampleInLanes(
  data: Float32Array,
  shape: Shape,
  [px, py, pz]: readonly (Pairs | undefined)[],
  out: Float32Array,
): boolean {
  const [channels, sx, sy, sz] = shape;
  if (!px || !py || !pz || sy * sz > planeSize || Math.max(sz, pz.low.length) > rowSize) return false;
  const lanes = lanesFor(Math.min(data.length, out.length));
  if (!lanes) return false;
  writeTable(lanes, pz);
  const size = sy * sz;
  const perPlane = py.low.length * pz.low.length;
  let to = 0;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < px.low.length; i++, to += perPlane) {
      mixPlanes(lanes, data, (c * sx + px.low[i]) * size, (c * sx + px.high[i]) * size, size, px.lowWeight[i], px.highWeight[i]);
      mixRows(lanes, sz, py, pz.low.length, out, to);
    }
  }
  return true;
}

function writeTable({ memory }: Lanes, { low, high, lowWeight, highWeight }: Pairs): void {
  const view = new DataView(memory.buffer, places.pairs, entry * low.length);
  for (let k = 0; k < low.length; k++) {
    view.setInt32(entry * k, 16 * low[k], true);
    view.setInt32(entry * k + 4, 16 * high[k], true);
    view.setFloat64(entry * k + 8, lowWeight[k], true);
    view.setFloat64(entry * k + 16, highWeight[k], true);
  }
}

/** The mean of two planes, or one of them, into the module's plane. */
function mixPlanes(
  { kernels, memory }: Lanes,
  data: Float32Array,
  a: number,
  b: number,
  size: number,
  wa: number,
  wb: number,
): void {
  if (isCopy(a, b, wa, wb)) {
    new Float32Array(memory.buffer, places.plane, size).set(data.subarray(a, a + size));
    return;
  }
  const [first, second] = [places.first, places.second].map((at) => new Float32Array(memory.buffer, at, chunkSize));
  for (let at = 0; at < size; at += chunkSize) {
    const count = Math.min(chunkSize, size - at);
    first.set(data.subarray(a + at, a + at + count));
    if (a !== b) second.set(data.subarray(b + at, b + at + count));
    kernels.mix(places.first, places.first + 4 * count, a === b ? places.first : places.second, places.plane + 4 * at, wa, wb);
  }
}

const isCopy = (a: number, b: number, wa: number, wb: number): boolean => a === b && wa === 0.5 && wb === 0.5;

/** Rows of the plane, four at a time: mixed with each other, turned into columns, which are mixed too, and back. */
function mixRows({ kernels, memory }: Lanes, width: number, py: Pairs, outWidth: number, out: Float32Array, start: number): void {
  const { low, high, lowWeight, highWeight } = py;
  const pitch = 16 * Math.ceil(width / 4);
  const outPitch = 16 * Math.ceil(outWidth / 4);
  const dense = outPitch === 4 * outWidth;
  const bytes = new Uint8Array(memory.buffer);
  const rows = Array.from({ length: 4 }, (_, k) => new Float32Array(memory.buffer, places.outRows + k * outPitch, outWidth));
  const all = new Float32Array(memory.buffer, places.outRows, outPitch);
  for (let j = 0; j < low.length; j += 4) {
    const count = Math.min(4, low.length - j);
    for (let k = 0; k < count; k++) {
      const [a, b] = [low[j + k], high[j + k]];
      const [wa, wb] = [lowWeight[j + k], highWeight[j + k]];
      const [from, to] = [places.plane + 4 * a * width, places.rows + k * pitch];
      if (isCopy(a, b, wa, wb)) bytes.copyWithin(to, from, from + 4 * width);
      else kernels.mix(from, from + 4 * width, places.plane + 4 * b * width, to, wa, wb);
    }
    kernels.transpose(places.rows, places.rows + pitch, pitch, 16, places.columns, 16, 64);
    kernels.mixByTable(places.pairs, places.pairs + entry * outWidth, places.columns, places.mixed);
    kernels.transpose(places.mixed, places.mixed + 16 * outWidth, 16, 64, places.outRows, outPitch, 16);
    const to = start + j * outWidth;
    if (dense && count === 4) out.set(all, to);
    else for (let k = 0; k < count; k++) out.set(rows[k], to + k * outWidth);
  }
}
