/** @file Small n-dimensional filters by the WebAssembly kernels: the planes that the filter reaches are in the module's memory, in float64 with zeros around. */
import { lanesOf, type LanesOf } from "./chunks.ts";
import { correlate } from "./correlate.ts";
import { collectedRoom, places, planeSize, rowRoom } from "./places.ts";
import { widenRows } from "./widths.ts";

const lanesFor = /* @__PURE__ */ lanesOf({ correlate, widenRows });
type Lanes = LanesOf<typeof lanesFor>;

type Sizes = readonly [x: number, y: number, z: number];

/** Bytes of an entry of the kernel's table. */
const entry = 16;

/** Filters blocks of a shape, see `filterNd`; false where the kernels are not to be had, and for rows and filters that are none for them. */
export function filterInLanes(
  data: Float32Array,
  shape: Sizes,
  weights: ArrayLike<number>,
  filter: Sizes,
  out: Float32Array,
): boolean {
  const [sx, sy, sz] = shape;
  const pitch = 8 * (sz + filter[2] - 1);
  const rows = Math.floor((rowRoom.sources - 64) / (pitch * filter[0]));
  const fitting = Math.min(rows, planeSize / sz, collectedRoom / (4 * sz) - 1);
  const band = Math.floor(Math.min(sy, fitting - filter[1] + 1));
  if (sz < 4 || band < Math.min(sy, 4) || entry * weights.length > rowRoom.windows) return false;
  const lanes = lanesFor(data.length);
  if (!lanes) return false;
  const bands: Bands = { lanes, data, shape, weights, filter, pitch, out };
  for (let block = 0; block < data.length; block += sx * sy * sz) {
    for (let first = 0; first < sy; first += band) filterBand(bands, block, first, Math.min(band, sy - first));
  }
  return true;
}

interface Bands {
  readonly lanes: Lanes;
  readonly data: Float32Array;
  readonly shape: Sizes;
  readonly weights: ArrayLike<number>;
  readonly filter: Sizes;
  /** Bytes from one row of a plane to the next. */
  readonly pitch: number;
  readonly out: Float32Array;
}

/** `count` rows from `first` on, of every plane. */
function filterBand(
  { lanes, data, shape, weights, filter, pitch, out }: Bands,
  block: number,
  first: number,
  count: number,
): void {
  const { kernels, memory } = lanes;
  const [sx, sy, sz] = shape;
  const [hx, hy, hz] = filter.map((k) => (k - 1) >> 1);
  const slotBytes = (count + filter[1] - 1) * pitch;
  const sources = new Uint8Array(memory.buffer, places.sources, rowRoom.sources);
  const plane = new Float32Array(memory.buffer, places.plane, planeSize);
  const done = new Float32Array(memory.buffer, places.collected, count * sz);
  // A plane has its place as long as the filter reaches it. What lies outside of the image stays 0.
  const slot = (x: number): number => places.sources + (x % filter[0]) * slotBytes;
  const [low, high] = [Math.max(first - hy, 0), Math.min(first + count + filter[1] - 1 - hy, sy)];
  const fetch = (x: number): void => {
    const at = block + (x * sy + low) * sz;
    plane.set(data.subarray(at, at + (high - low) * sz));
    const to = slot(x) + (low - first + hy) * pitch + 8 * hz;
    kernels.widenRows(places.plane, places.plane + 4 * (high - low) * sz, 4 * sz, to, pitch);
  };
  sources.fill(0);
  for (let x = 0; x < Math.min(filter[0] - 1 - hx, sx); x++) fetch(x);
  for (let x = 0; x < sx; x++) {
    const newest = x + filter[0] - 1 - hx;
    if (newest < sx) fetch(newest);
    const end = writeTable(lanes, weights, filter, (k) => (x + k < hx || x + k - hx >= sx ? -1 : slot(x + k - hx)), pitch);
    for (let r = 0; r < count; r++) {
      const to = places.collected + 4 * r * sz;
      kernels.correlate(places.windows, end, r * pitch, to, to + 4 * sz);
    }
    out.set(done, block + (x * sy + first) * sz);
  }
}

/** Weights that are not 0 with the places of what they weigh, −1 for a plane outside of the image; gives the table's end. */
function writeTable(
  { memory }: Lanes,
  weights: ArrayLike<number>,
  [kx, ky, kz]: Sizes,
  plane: (k: number) => number,
  pitch: number,
): number {
  const view = new DataView(memory.buffer, places.windows, rowRoom.windows);
  let at = 0;
  for (let x = 0, i = 0; x < kx; x++) {
    const from = plane(x);
    for (let y = 0; y < ky; y++) {
      for (let z = 0; z < kz; z++, i++) {
        if (from < 0 || weights[i] === 0) continue;
        view.setInt32(at, from + y * pitch + 8 * z, true);
        view.setFloat64(at + 8, weights[i], true);
        at += entry;
      }
    }
  }
  return places.windows + at;
}
