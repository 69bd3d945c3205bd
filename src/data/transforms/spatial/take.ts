/** @file Voxels taken over as they are, axis by axis: nearest resampling and padding with what the image has. */
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { takeRows } from "../../../host/simd/take_rows.ts";
import { asWords, emptyLike } from "../../../host/strided.ts";
import { unfilledLike } from "../../../host/unfilled.ts";

/**
 * Output voxel o takes over the voxel `index[a][o_a]` of the spatial axes a, or `fill` for −1; the element type stays. What was taken once is copied
 * again inside of the result, and blocks of neighbors, as padding has them, are copied at once.
 */
export function takeAxes<A extends TypedArray>(x: HostArray<A>, index: readonly Int32Array[], fill = 0): HostArray<A> {
  const shape = [x.shape[0], ...index.map((i) => i.length)];
  const out = unfilledLike(x.data, sizeOf(shape));
  if (takenInLanes(x, out, index, fill)) return { data: out, shape };
  if (index.some((list) => list.includes(-1))) out.fill(fill);
  const axes = [Int32Array.from({ length: x.shape[0] }, (_, i) => i), ...index];
  const strides = stridesOf(x.shape);
  const steps = stridesOf(shape);
  const plans = axes.map((list, a): AxisPlan => {
    const identity = axes.slice(a + 1).every((inner, k) => isIdentity(inner, x.shape[a + 1 + k]));
    const plan = planOf(list, identity, strides[a]);
    const ascendingPlaces = isAscending(plan.places);
    const ascending = ascendingPlaces && isAscending(plan.sources);
    return { ...plan, ascendingPlaces, ascending, holes: list.includes(-1), size: list.length, from: strides[a], to: steps[a] };
  });
  // The bits of the fill value, from an element that is overwritten or is it.
  const words = asWords(out);
  if (out.length > 0) takeBlock({ data: asWords(x.data), out: words, plans, fill: words[0] }, 0, 0, 0);
  return { data: out, shape };
}

function takenInLanes<A extends TypedArray>(x: HostArray<A>, out: A, index: readonly Int32Array[], fill: number): boolean {
  if (index.length < 2 || out.length === 0) return false;
  const strides = stridesOf(x.shape);
  const rowAxis = x.shape.length - 2;
  let planes = Array.from({ length: x.shape[0] }, (_, c) => c * strides[0]);
  for (let a = 1; a < rowAxis; a++) {
    const list = index[a - 1];
    planes = planes.flatMap((at) => Array.from(list, (i) => (at < 0 || i < 0 ? -1 : at + i * strides[a])));
  }
  const rows = Float64Array.from(index[rowAxis - 1], (i) => (i < 0 ? -1 : i * strides[rowAxis]));
  const one = emptyLike(x.data, 1);
  one[0] = fill;
  return takeRows(x.data, out, { planes, rows, columns: index[rowAxis], width: x.shape[rowAxis + 1], fill: one });
}

/** What is to be done along an axis: stretches to copy as they are, single places, and places that were taken before. */
interface AxisPlan {
  /** Elements of the result. */
  readonly size: number;
  /** Distance of neighbors in the source. */
  readonly from: number;
  /** Distance of neighbors in the result. */
  readonly to: number;
  /** [place, source, count], one behind the other. */
  readonly runs: readonly (readonly [number, number, number])[];
  /** Places, and their sources. */
  readonly places: Int32Array;
  readonly sources: Int32Array;
  /** Whether the places, and whether both, are neighbors, one behind the other. */
  readonly ascendingPlaces: boolean;
  readonly ascending: boolean;
  /** Whether something is taken from nowhere. */
  readonly holes: boolean;
  /** [place, place to copy from, count]. */
  readonly again: readonly (readonly [number, number, number])[];
}

/** What is taken from where, as words. */
interface Take {
  readonly data: TypedArray;
  readonly out: TypedArray;
  readonly plans: readonly AxisPlan[];
  /** What stays where nothing is taken. */
  readonly fill: number;
}

const isIdentity = (index: Int32Array, size: number): boolean => index.length === size && index.every((v, i) => v === i);

const isAscending = (list: Int32Array): boolean => list.every((v, k) => v === list[0] + k);

/** Runs from here on are worth a copy of their own. */
const leastRun = 64;

/** @param whole all that is inside of an element of this axis is copied as it is @param block how much that is in the source */
function planOf(index: Int32Array, whole: boolean, block: number): Pick<AxisPlan, "runs" | "places" | "sources" | "again"> {
  const runs: [number, number, number][] = [];
  const again: [number, number, number][] = [];
  const places: number[] = [];
  const first = new Map<number, number>();
  for (let o = 0; o < index.length;) {
    const known = first.get(index[o]);
    let end = o + 1;
    // Elements themselves are fetched from the source, since both ways are a load and a store.
    if (known !== undefined && block > 1) {
      while (end < index.length && first.get(index[end]) === known + end - o) end++;
      again.push([o, known, end - o]);
    } else {
      const inside = whole && index[o] >= 0;
      if (inside) while (end < index.length && index[end] === index[end - 1] + 1 && !first.has(index[end])) end++;
      if (inside && (end - o) * block >= leastRun) runs.push([o, index[o], end - o]);
      else for (let k = o; k < end; k++) if (index[k] >= 0) places.push(k);
      for (let k = o; k < end; k++) if (index[k] >= 0 && block > 1) first.set(index[k], k);
    }
    o = end;
  }
  return { runs, again, places: Int32Array.from(places), sources: Int32Array.from(places, (o) => index[o]) };
}

function takeBlock(take: Take, axis: number, at: number, to: number): void {
  const { data, out, plans } = take;
  const plan = plans[axis];
  const { places, sources, from: block, to: step } = plan;
  for (const [o, source, count] of plan.runs) {
    const start = at + source * block;
    out.set(data.subarray(start, start + count * block), to + o * step);
  }
  if (axis === plans.length - 1) {
    if (plan.ascendingPlaces) gather(data, at, sources, out, to + places[0]);
    else for (let k = 0; k < places.length; k++) out[to + places[k]] = data[at + sources[k]];
  } else if (axis !== plans.length - 2 || !takeWideRows(take, plan, at, to))
    for (let k = 0; k < places.length; k++) takeBlock(take, axis + 1, at + sources[k] * block, to + places[k] * step);
  for (const [o, source, count] of plan.again) out.copyWithin(to + o * step, to + source * step, to + (source + count) * step);
}

function gather(data: TypedArray, at: number, sources: Int32Array, out: TypedArray, to: number): void {
  for (let k = 0; k < sources.length; k++) out[to + k] = data[at + sources[k]];
}

/**
 * The rows of a plane that are wider in the result, as padding makes them: all of them are put at the plane's end at once, from where they move to their
 * places, the first one first; that takes a third of the time of fetching each from the source. False where it is not that.
 */
function takeWideRows({ data, out, plans, fill }: Take, rows: AxisPlan, at: number, to: number): boolean {
  const columns = plans[plans.length - 1];
  const { places, sources, from: width, to: step } = rows;
  const whole = columns.runs.find(([, , length]) => length === width);
  const count = places.length;
  if (!whole || count === 0 || !rows.ascending) return false;
  const end = to + rows.size * step;
  const moved = end - count * width;
  const start = at + sources[0] * width;
  out.set(data.subarray(start, start + count * width), moved);
  const home = to + places[0] * step + whole[0];
  for (let k = 0; k < count; k++) out.copyWithin(home + k * step, moved + k * width, moved + (k + 1) * width);
  if (rows.holes || columns.holes) {
    // What they left behind.
    for (let k = 0; k < count; k++) {
      const behind = home + k * step + width;
      const last = k === count - 1 ? end : behind + step - width;
      if (last > moved) out.fill(fill, Math.max(behind, moved), last);
    }
  }
  for (let k = 0; k < count; k++) besideRow(out, home - whole[0] + k * step, columns, whole);
  return true;
}

/** What the columns take beside a whole row, from that row. */
function besideRow(out: TypedArray, row: number, { places, sources, runs }: AxisPlan, whole: AxisPlan["runs"][number]): void {
  const from = row + whole[0];
  for (let i = 0; i < places.length; i++) out[row + places[i]] = out[from + sources[i]];
  if (runs.length === 1) return;
  for (const run of runs) if (run !== whole) out.copyWithin(row + run[0], from + run[1], from + run[1] + run[2]);
}
