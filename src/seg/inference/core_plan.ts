/**
 * @file Windows whose cores tile an image. Each reaches beyond its core as far as the network looks, so that cores are what the network makes of the whole image.
 * All windows of an image have one size, so that one captured step serves them.
 */

/** A window and the part of it that counts, along each axis. */
export interface CoreWindow {
  readonly start: readonly number[];
  /** In the image. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Sizes that windows may have, and how many there are along each axis then. */
export interface CoreChoice {
  readonly window: readonly number[];
  readonly counts: readonly number[];
  /** Voxels that are computed. */
  readonly voxels: number;
}

const mostPerAxis = 12;

/** All sizes of windows that make sense, those with the least to compute first; of equals those that are cut along earlier axes, where planes are in a row. */
export function coreChoices(size: readonly number[], halo: readonly number[]): CoreChoice[] {
  let all: CoreChoice[] = [{ window: [], counts: [], voxels: 1 }];
  for (const [axis, n] of size.entries()) {
    const options = axisChoices(n, halo[axis]);
    all = all.flatMap(({ window, counts, voxels }) =>
      options.map(([length, count]) => ({
        window: [...window, length],
        counts: [...counts, count],
        voxels: voxels * length * count,
      })),
    );
  }
  return all.sort((a, b) => a.voxels - b.voxels || later(a.counts) - later(b.counts));
}

const later = (counts: readonly number[]): number => counts.reduce((sum, count, axis) => sum + count * axis, 0);

/** Lengths of windows and how many of them a line of `n` voxels needs. */
function axisChoices(n: number, halo: number): [length: number, count: number][] {
  const choices: [number, number][] = [[n, 1]];
  for (let count = 2; count <= mostPerAxis; count++) {
    const length = Math.ceil((n + 2 * halo * (count - 1)) / count);
    if (length >= choices.at(-1)![0] || length <= 2 * halo) break;
    choices.push([length, count]);
  }
  return choices;
}

/** The windows of a choice, in C order. */
export function coreWindows(size: readonly number[], halo: readonly number[], { window, counts }: CoreChoice): CoreWindow[] {
  let all: CoreWindow[] = [{ start: [], from: [], to: [] }];
  for (const [axis, n] of size.entries()) {
    const [length, count] = [window[axis], counts[axis]];
    const line: [start: number, from: number, to: number][] = [];
    for (let i = 0, from = 0; i < count; i++) {
      const start = Math.min(i * (length - 2 * halo[axis]), n - length);
      const to = i === count - 1 ? n : start + length - halo[axis];
      line.push([start, from, to]);
      from = to;
    }
    all = all.flatMap((w) =>
      line.map(([start, from, to]) => ({ start: [...w.start, start], from: [...w.from, from], to: [...w.to, to] })),
    );
  }
  return all;
}
