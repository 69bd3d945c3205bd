/**
 * @file The passes of a convolution by discrete Fourier transforms: spectra of overlapping windows of an image, an axis at a time, and the way back
 * (overlap-save). A value of a spectrum is a pair, channels lie side by side.
 */

import type { Triple } from "./shape.ts";
import { sizeOf } from "../../host/array.ts";
import { write } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { half, instead } from "../lib/args.ts";
import { grid } from "../lib/workgroups.ts";
import { axisShader, THREADS } from "../shaders/fourier/axis.gen.ts";
import { axisBackShader } from "../shaders/fourier/axis_back.gen.ts";
import { ROWS } from "../shaders/fourier/product.gen.ts";
import { rowsShader } from "../shaders/fourier/rows.gen.ts";
import { rowsBackShader } from "../shaders/fourier/rows_back.gen.ts";

type Axis = 0 | 1 | 2;

/** Windows along the axes D, H and W of images `[samples, channels, size…]`, all or some of them; an axis that is not transformed has length 1. */
interface Windows {
  readonly length: Triple;
  readonly tiles: Triple;
  /** From one window to the next. */
  readonly step: Triple;
  /** Where the first begins, and values of each that are read. */
  readonly start: Triple;
  readonly reach: Triple;
  readonly size: Triple;
}

/** Samples, and windows along the first transformed axis, that are worked on at a time. */
export interface Share {
  readonly sample: number;
  readonly samples: number;
  readonly tile: number;
  readonly tiles: number;
}

/** How the last transform stores the spectra of weights: tiles of rows (columns if `across`) of a matrix. */
interface Tiling {
  readonly columns: number;
  readonly across: boolean;
  readonly scale: number;
}

export const even = (n: number): number => n + (n % 2);
export const map = (of: (axis: Axis) => number): Triple => [of(0), of(1), of(2)];
/** Axes behind W that are transformed, in their order. */
export const further = (length: Triple): Axis[] => ([1, 0] as const).filter((a) => length[a] > 1);
/** Of the lower half along W and all others. */
export const frequencies = (length: Triple): number => (sizeOf(length) / length[2]) * (length[2] / 2 + 1);

/** Spectra `[frequencies, samples · windows, channels]` of values a + ib, channels up to an even number; weights as `[frequencies, tiles, terms, ROWS]`. */
export function spectra(x: Tensor, channels: number, windows: Windows, share: Share, sign: 1 | -1, tiling?: Tiling): Tensor {
  const { device } = x;
  const { length, tiles, step, start, reach, size } = windows;
  const axes = further(length);
  const outer = axes.at(-1)!;
  // Of the outermost axis what the windows of this share reach.
  const begin = start[outer] + share.tile * step[outer];
  // At least one place of it, whether windows that lie outside reach it or not.
  const low = Math.min(Math.max(0, begin), size[outer] - 1);
  const high = Math.min(size[outer], begin + (share.tiles - 1) * step[outer] + reach[outer]);
  const extent = [...size];
  extent[outer] = Math.max(1, high - low);
  const wide = tiling ? channels : even(channels);
  let per = share.samples * extent[0] * extent[1] * tiles[2] * wide;
  let before = length[2] / 2 + 1;
  let y = device.empty([before, per, 2]);
  device.run(
    rowsShader({
      half: half(x),
      params: {
        count: per,
        channels: wide,
        present: channels,
        sample: share.sample,
        tiles: tiles[2],
        step: step[2],
        start: start[2],
        reach: reach[2],
        size: size[2],
        lines: extent[0] * extent[1],
        height: extent[1],
        below: size[1],
        first: outer === 0 ? low * size[1] : low,
        x_pitch: channels * sizeOf(size),
        channel: sizeOf(size),
        sign,
      },
      bind: { x, y: write(y) },
      workgroups: grid(device, "conv", per, THREADS),
      consts: { L: length[2] },
    }),
  );
  for (const axis of axes) {
    const across = axis === outer ? share.tiles : tiles[axis];
    const inner = wide * tiles[2] * (axis === 0 ? extent[1] : 1);
    per = (per / extent[axis]) * across;
    const last = tiling && axis === outer ? tiled(channels, tiling) : undefined;
    const next = device.empty([length[axis], before, last ? last.pitch : per, 2]);
    device.run(
      axisShader({
        params: {
          count: before * per,
          inner,
          tiles: across,
          step: step[axis],
          start: axis === outer ? begin - low : start[axis],
          reach: reach[axis],
          size: extent[axis],
          sign,
          ...(last ?? untiled),
        },
        bind: { x: y, y: write(next) },
        workgroups: grid(device, "conv", before * per, THREADS),
        consts: { L: length[axis] },
        overrides: { TILED: last ? 1 : 0 },
        variant: last ? "tiled" : "",
      }),
    );
    y.dispose();
    y = next;
    before *= length[axis];
    extent[axis] = across;
  }
  return y;
}

const untiled = { scale: 1, columns: 1, width: ROWS, across: 0, pitch: 0, tile: 0 };

function tiled(channels: number, { columns, across, scale }: Tiling) {
  const rows = channels / columns;
  const [outputs, terms] = across ? [columns, rows] : [rows, columns];
  return {
    scale,
    columns,
    width: ROWS,
    across: across ? 1 : 0,
    pitch: Math.ceil(outputs / ROWS) * ROWS * terms,
    tile: terms * ROWS,
  };
}

/** What of the windows is kept, and where it goes. */
interface Kept {
  readonly length: Triple;
  readonly tiles: Triple;
  readonly skip: Triple;
  readonly keep: Triple;
  readonly size: Triple;
}

interface Ending {
  readonly bias?: Tensor | undefined;
  readonly residual?: Tensor | undefined;
  readonly relu?: boolean;
  readonly scale?: number;
}

/** The way back from spectra `[frequencies, samples · windows, columns, channels up to an even number]`, which are given up, to `y`. */
export function images(x: Tensor, y: Tensor, channels: number, columns: number, kept: Kept, share: Share, ending: Ending): void {
  const { device } = x;
  const { length, tiles, skip, keep, size } = kept;
  const axes = further(length);
  const outer = axes.at(-1)!;
  const low = share.tile * keep[outer];
  const wide = columns * even(channels);
  const extent = [...map((a) => (a === outer ? share.tiles : tiles[a]))];
  let before = frequencies(length);
  let per = share.samples * sizeOf(extent) * wide;
  for (const axis of axes.toReversed()) {
    before /= length[axis];
    const inner = wide * tiles[2] * (axis === 0 ? extent[1] : 1);
    const count = before * per;
    const across = extent[axis];
    extent[axis] = axis === outer ? Math.min(size[axis] - low, share.tiles * keep[axis]) : size[axis];
    per = (per / across) * extent[axis];
    const next = device.empty([before, per, 2]);
    device.run(
      axisBackShader({
        params: { count, inner, tiles: across, skip: skip[axis], keep: keep[axis], size: extent[axis] },
        bind: { x, y: write(next) },
        workgroups: grid(device, "conv", count, THREADS),
        consts: { L: length[axis] },
      }),
    );
    x.dispose();
    x = next;
  }
  device.run(
    rowsBackShader({
      half: half(y),
      params: {
        count: per,
        channels: even(channels),
        columns,
        present: channels,
        sample: share.sample,
        tiles: tiles[2],
        skip: skip[2],
        keep: keep[2],
        size: size[2],
        lines: extent[0] * extent[1],
        height: extent[1],
        below: size[1],
        first: outer === 0 ? low * size[1] : low,
        y_pitch: columns * channels * sizeOf(size),
        residual_pitch: columns * channels * sizeOf(size),
        channel: sizeOf(size),
        scale: ending.scale ?? 1,
        has_bias: ending.bias ? 1 : 0,
        has_residual: ending.residual ? 1 : 0,
        relu: ending.relu ? 1 : 0,
      },
      bind: { x, bias: ending.bias ?? instead(x), y: write(y), residual: ending.residual ?? instead(x) },
      workgroups: grid(device, "conv", per, THREADS),
      consts: { L: length[2] },
    }),
  );
  x.dispose();
}
