/** @file How a row of a result is put together from one of the source: stretches as they are or in reverse, and vectors of whatever is between them. */

/** A stretch of `bytes` at `to` of the result. */
export interface Stretch {
  readonly to: number;
  /** Its first byte in the source, or of a reversed one, the first of its last element. */
  readonly at: number;
  readonly bytes: number;
}

/** A vector at `to`: up to two windows of the source, the places in them, and what else is in it. */
export interface Windows {
  readonly to: number;
  readonly at: readonly [number, number];
  readonly places: readonly [Uint8Array, Uint8Array];
  readonly others: Uint8Array;
  /** Whether all of it is in the first window. */
  readonly single: boolean;
}

export interface RowPlan {
  readonly copied: readonly Stretch[];
  readonly reversed: readonly Stretch[];
  readonly windows: readonly Windows[];
}

const vector = 16;
/** Stretches of fewer bytes are vectors of their own. */
const leastStretch = 64;

/**
 * The plan of a row whose element o is element `index[o]` of the source, or `fill` for −1; undefined where a vector of it comes from too far apart, and for
 * rows shorter than one. @param fill bytes of the element
 */
export function planRow(index: Int32Array, fill: Uint8Array): RowPlan | undefined {
  const size = fill.length;
  const lanes = vector / size;
  if (index.length < lanes) return undefined;
  const plan = { copied: [] as Stretch[], reversed: [] as Stretch[], windows: [] as Windows[] };
  const least = leastStretch / size;
  let done = 0;
  const cover = (end: number): boolean => {
    for (; done < end; done += lanes) {
      const windows = windowsAt(index, Math.min(done, index.length - lanes), fill);
      if (!windows) return false;
      plan.windows.push(windows);
    }
    return true;
  };
  for (let o = 0; o < index.length;) {
    const step = index[o] >= 0 && index[o + 1] === index[o] - 1 ? -1 : 1;
    let end = o + 1;
    while (end < index.length && index[o] >= 0 && index[end] === index[end - 1] + step && index[end] >= 0) end++;
    if (end - o >= least) {
      if (!cover(o)) return undefined;
      // Vectors before it may have reached into it.
      const stretch = { to: o * size, bytes: (end - o) * size, at: Math.min(index[o], index[end - 1]) * size };
      (step === 1 ? plan.copied : plan.reversed).push(stretch);
      done = end;
    }
    o = end;
  }
  return cover(index.length) ? plan : undefined;
}

function windowsAt(index: Int32Array, first: number, fill: Uint8Array): Windows | undefined {
  const size = fill.length;
  const lanes = vector / size;
  const sources = [...index.subarray(first, first + lanes)];
  const known = sources.filter((s) => s >= 0);
  const low = known.length > 0 ? Math.min(...known) : 0;
  const beyond = known.filter((s) => s >= low + lanes);
  const high = beyond.length > 0 ? Math.min(...beyond) : low;
  if (beyond.some((s) => s >= high + lanes)) return undefined;
  const places = [low, high].map(() => new Uint8Array(vector).fill(0x80));
  const others = new Uint8Array(vector);
  sources.forEach((s, lane) => {
    const window = s < low + lanes ? 0 : 1;
    const from = (s - [low, high][window]) * size;
    for (let b = 0; b < size; b++) {
      if (s < 0) others[lane * size + b] = fill[b];
      else places[window][lane * size + b] = from + b;
    }
  });
  return {
    to: first * size,
    at: [low * size, high * size],
    places: [places[0], places[1]],
    others,
    single: beyond.length === 0 && known.length === lanes,
  };
}
