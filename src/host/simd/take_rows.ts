/**
 * @file Results whose rows come from rows elsewhere: crops, pads, mirrored and chosen ones. Sources go into the module's memory in long copies, rows are put
 * together there, and what is collected goes out in long copies too: a call for each row would cost more than all of this.
 */
import { bytesOf, type TypedArray } from "../array.ts";
import { lanesOf, type LanesOf } from "./chunks.ts";
import { places, rowRoom } from "./places.ts";
import { writeTurned } from "./reverse_rows.ts";
import { planRow, type RowPlan } from "./row_plan.ts";
import { copyRows, oneWindow, reverseStretches, twoWindows } from "./rows.ts";

const lanesFor = /* @__PURE__ */ lanesOf({ copyRows, oneWindow, reverseStretches, twoWindows });
type Lanes = LanesOf<typeof lanesFor>;

/** Where things come from, in elements; −1 for what is filled. */
export interface RowSources {
  /** Of each plane of the result. */
  readonly planes: ArrayLike<number>;
  /** Of each row of a plane, from the plane's on. */
  readonly rows: ArrayLike<number>;
  /** Of each element of a row, from the row's on. */
  readonly columns: Int32Array;
  /** From a row's first to behind its last element. */
  readonly width: number;
  /** An array of the one element that fills. */
  readonly fill: TypedArray;
}

/** Rows of more bytes are copied from where they are. */
const longRow = 8192;

/** Bytes of the result that are put together at a time, which the second cache keeps beside their sources: ten times as many take a third more time. */
const taken = 0x20000;
/** Bytes that the sources of these may lie apart. */
const band = 0x40000;

/** Puts rows together in `out`, which has all of them one behind the other; false where the kernels are not to be had or rows are none for them. */
export function takeRows(data: TypedArray, out: TypedArray, sources: RowSources): boolean {
  const lanes = lanesFor(out.byteLength >> 2);
  const size = data.BYTES_PER_ELEMENT;
  const { planes, rows, columns, width } = sources;
  if (!lanes || Math.max(width, columns.length) * size > rowRoom.row || planes.length * 2048 > out.byteLength) return false;
  const fill = bytesOf(sources.fill);
  const plan = planRow(columns, fill);
  if (!plan || !write(lanes, plan, fill)) return false;
  const take: Take = {
    lanes,
    plan,
    data: bytesOf(data),
    out: bytesOf(out),
    planes: inBytes(planes, size),
    rows: inBytes(rows, size),
    width: width * size,
    outWidth: columns.length * size,
  };
  if (isLong(take)) takeLong(take);
  else takePlanes(take);
  return true;
}

function inBytes(places: ArrayLike<number>, size: number): Float64Array {
  const out = new Float64Array(places.length);
  for (let i = 0; i < out.length; i++) out[i] = places[i] < 0 ? -1 : places[i] * size;
  return out;
}

/** What is taken, in bytes. */
interface Take {
  readonly lanes: Lanes;
  readonly plan: RowPlan;
  readonly data: Uint8Array;
  readonly out: Uint8Array;
  readonly planes: Float64Array;
  readonly rows: Float64Array;
  readonly width: number;
  readonly outWidth: number;
}

/** Writes the tables of a plan; false where they are too long. */
function write(lanes: Lanes, { windows }: RowPlan, fill: Uint8Array): boolean {
  const { memory } = lanes;
  const singles = windows.filter((w) => w.single);
  if (32 * singles.length + 64 * (windows.length - singles.length) > rowRoom.windows) return false;
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  let at: number = places.windows;
  for (const { to, at: from, places: bytesAt, others, single } of [...singles, ...windows.filter((w) => !w.single)]) {
    words.set([from[0], from[1], to], at / 4);
    bytes.set(bytesAt[0], at + 16);
    if (!single) {
      bytes.set(bytesAt[1], at + 32);
      bytes.set(others, at + 48);
    }
    at += single ? 32 : 64;
  }
  const row = bytes.subarray(places.fillRow, places.fillRow + rowRoom.row);
  row.set(fill);
  for (let done = fill.length; done < row.length; done *= 2) row.copyWithin(done, 0, done);
  writeTurned(lanes, fill.length);
  return true;
}

const isLong = ({ plan: { copied }, outWidth }: Take): boolean => outWidth >= longRow && copied[0]?.bytes === outWidth;

/** Rows that are stretches of the source and as long as many rows. */
function takeLong({ lanes, plan, data, out, planes, rows, outWidth }: Take): void {
  const filled = new Uint8Array(lanes.memory.buffer, places.fillRow, outWidth);
  let to = 0;
  for (const plane of planes) {
    for (const row of rows) {
      const at = plane + row + plan.copied[0].at;
      out.set(plane < 0 || row < 0 ? filled : data.subarray(at, at + outWidth), to);
      to += outWidth;
    }
  }
}

/** Plane by plane; what padding repeats is copied from where it is first. */
function takePlanes(take: Take): void {
  const { out, planes, rows, outWidth } = take;
  const bytes = rows.length * outWidth;
  const first = new Map<number, number>();
  planes.forEach((plane, p) => {
    const same = first.get(plane);
    if (same === undefined) {
      first.set(plane, p * bytes);
      takePlane(take, plane, p * bytes);
    } else out.copyWithin(p * bytes, same, same + bytes);
  });
}

/** In bands whose sources lie close enough to each other. */
function takePlane(take: Take, plane: number, to: number): void {
  const { lanes, data, out, rows, width, outWidth } = take;
  const { buffer } = lanes.memory;
  const room = new Uint8Array(buffer, places.sources, rowRoom.sources);
  const collected = new Uint8Array(buffer, places.collected, taken);
  const addresses = new Int32Array(buffer, places.addresses, rowRoom.addresses / 4);
  const atOnce = Math.min(addresses.length, Math.floor(taken / outWidth));
  for (let r = 0; r < rows.length;) {
    const most = Math.min(rows.length - r, atOnce);
    const { low, high, count } = plane < 0 ? { low: 0, high: 0, count: most } : bandOf(rows, r, most, width);
    if (high > low) room.set(data.subarray(plane + low, plane + high));
    for (let k = 0; k < count; k++)
      addresses[k] = plane < 0 || rows[r + k] < 0 ? places.fillRow : places.sources + rows[r + k] - low;
    put(take, count, places.collected);
    out.set(collected.subarray(0, count * outWidth), to + r * outWidth);
    r += count;
  }
}

/** How many rows from `r` on have their sources in one piece that there is room for, and that piece. */
function bandOf(rows: Float64Array, r: number, most: number, width: number): { low: number; high: number; count: number } {
  let low = Infinity;
  let high = 0;
  let count = 0;
  for (; count < most; count++) {
    const row = rows[r + count];
    if (row < 0) continue;
    const [newLow, newHigh] = [Math.min(low, row), Math.max(high, row + width)];
    if (newHigh - newLow > band) break;
    [low, high] = [newLow, newHigh];
  }
  return { low: Math.min(low, high), high, count };
}

/** Puts `count` rows, whose sources' addresses are written, together at an address. */
function put({ lanes: { kernels }, plan: { copied, reversed, windows }, outWidth }: Take, count: number, to: number): void {
  const [from, end] = [places.addresses, places.addresses + 4 * count];
  for (const s of copied) kernels.copyRows(from, end, to + s.to, outWidth, s.at, s.bytes);
  for (const s of reversed) kernels.reverseStretches(from, end, to + s.to, outWidth, s.at, s.bytes, places.turned);
  const singles = 32 * windows.filter((w) => w.single).length;
  const tables = places.windows + singles;
  const all = tables + 64 * windows.length - 2 * singles;
  if (singles > 0) kernels.oneWindow(from, end, to, outWidth, places.windows, tables);
  if (all > tables) kernels.twoWindows(from, end, to, outWidth, tables, all);
}
