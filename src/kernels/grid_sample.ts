/** @file Sampling of images at arbitrary positions, in two and three dimensions (2-D is depth 1). */

import { expectWord } from "../host/words.ts";
import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { update, write } from "../tensor/kernel.ts";
import { type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { fold, grid as groups } from "./lib/workgroups.ts";
import { padAxes, planesTogether } from "./resample.ts";
import { BORDER, REFLECTION, ZEROS } from "./shaders/lib/grid_sample.gen.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { forwardShader } from "./shaders/grid_sample/forward.gen.ts";
import { gridGradientShader } from "./shaders/grid_sample/grid_gradient.gen.ts";
import { inputGradientShader } from "./shaders/grid_sample/input_gradient.gen.ts";
import { listShader } from "./shaders/grid_sample/list.gen.ts";
import { sortShader } from "./shaders/grid_sample/sort.gen.ts";
import { full } from "./view.ts";

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** `bilinear` is trilinear for volumes; `bicubic` is for images only. Default "bilinear". */
  readonly mode?: "bilinear" | "nearest" | "bicubic";
  /** What lies outside the image: zeros, the border elements, or the image reflected. Default "zeros". */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** Whether −1 and 1 are the centers of the corner elements, rather than their outer edges. Default false. */
  readonly alignCorners?: boolean;
}

export interface GridSampleGeometry {
  readonly axes: 2 | 3;
  readonly samples: number;
  readonly channels: number;
  /** D, H, W. */
  readonly size: Shape;
  readonly outSize: Shape;
  readonly outShape: Shape;
  /** Elements read per axis. */
  readonly taps: 1 | 2 | 4;
  readonly padding: number;
  readonly align: boolean;
}

const modes = { nearest: 1, bilinear: 2, bicubic: 4 } as const;
const paddings = { zeros: ZEROS, border: BORDER, reflection: REFLECTION } as const;

/** Shape rule of `gridSample`. Throws `ShapeError`, and `ConfigError` for unknown options. */
export function gridSampleShape(x: Shape, grid: Shape, options: GridSampleOptions): GridSampleGeometry {
  const op = "gridSample";
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = options;
  const axes = x.length - 2;
  if (axes !== 2 && axes !== 3) {
    throw new ShapeError(`${op}: input must be [N, C, spatial…] with 2 or 3 spatial axes, got ${showShape(x)}`);
  }
  if (grid.length !== x.length || grid[0] !== x[0] || grid.at(-1) !== axes) {
    throw new ShapeError(
      `${op}: grid ${showShape(grid)} must be [${x[0]}${", size".repeat(axes)}, ${axes}] for the input ${showShape(x)}`,
    );
  }
  if (x.slice(2).some((n) => n < 1)) throw new ShapeError(`${op}: the input ${showShape(x)} has an empty spatial axis`);
  expectWord(op, "mode", mode, modes);
  expectWord(op, "paddingMode", paddingMode, paddings);
  if (mode === "bicubic" && axes === 3)
    throw new ShapeError(`${op}: mode bicubic is for 2 spatial axes, the input ${showShape(x)} has 3`);
  const outSize = grid.slice(1, -1);
  return {
    axes,
    samples: x[0],
    channels: x[1],
    size: padAxes(x.slice(2), 1),
    outSize: padAxes(outSize, 1),
    outShape: [x[0], x[1], ...outSize],
    taps: modes[mode],
    padding: paddings[paddingMode],
    align: alignCorners,
  };
}

const four = ([d, h, w]: Shape, last: number) => [d, h, w, last] as const;

const words = (g: GridSampleGeometry, first = 0, samples = g.samples) => ({
  in_size: four(g.size, g.channels),
  out_size: four(g.outSize, g.samples),
  axes: g.axes,
  first,
  samples,
  padding: g.padding,
  align: g.align ? 1 : 0,
});

export function gridSample(x: Tensor, grid: Tensor, g: GridSampleGeometry): Tensor {
  expectTensors("gridSample", { input: x, grid });
  const y = x.device.empty(g.outShape);
  const TC = planesTogether(g.channels);
  if (y.size > 0) {
    x.device.run(
      forwardShader({
        consts: { TAPS: g.taps, TC },
        params: words(g),
        bind: { grid, x, y: write(y) },
        workgroups: fold(x.device, "gridSample", Math.ceil((g.samples * sizeOf(g.outSize)) / 64) * Math.ceil(g.channels / TC)),
      }),
    );
  }
  return y;
}

/** Gradient for the grid; zero for nearest sampling. */
export function gridSampleGridGradient(x: Tensor, grid: Tensor, dy: Tensor, g: GridSampleGeometry): Tensor {
  if (g.taps === 1 || dy.size === 0) return full(grid.device, grid.shape, 0);
  const dgrid = grid.device.empty(grid.shape);
  grid.device.run(
    gridGradientShader({
      consts: { TAPS: g.taps },
      overrides: { BLOCKED: g.channels > BLOCK ? 1 : 0 },
      variant: g.channels > BLOCK ? "blocked" : "",
      params: words(g),
      bind: { grid, x, dy, dgrid: write(dgrid) },
      workgroups: groups(grid.device, "gridSample", g.samples * sizeOf(g.outSize), 64),
    }),
  );
  return dgrid;
}

/** Lists for the input gradient take 8 bytes per tap; samples beyond this many taps take turns. One sample of 128³ has this many. */
const tapsAtOnce = 2 ** 24;

/** Gradient for the image: lists of the taps that read each element, in order, then sums over them (shaders/grid_sample/list.wgsl). */
export function gridSampleInputGradient(grid: Tensor, dy: Tensor, g: GridSampleGeometry, shape: Shape): Tensor {
  const { device } = grid;
  if (dy.size === 0) return full(device, shape, 0);
  const dx = device.empty(shape);
  const plane = sizeOf(g.size);
  const positions = sizeOf(g.outSize);
  const taps = g.taps ** g.axes;
  const TC = planesTogether(g.channels);
  const atOnce = Math.max(1, Math.min(g.samples, Math.floor(tapsAtOnce / (positions * taps))));
  for (let first = 0; first < g.samples; first += atOnce) {
    const samples = Math.min(atOnce, g.samples - first);
    const head = full(device, [samples, plane], -1, "i32");
    const next = device.empty([samples, positions, taps], "i32");
    const weights = device.empty([samples, positions, taps]);
    device.run(
      listShader({
        consts: { TAPS: g.taps },
        params: words(g, first, samples),
        bind: { grid, head: update(head), next: write(next), weights: write(weights) },
        workgroups: groups(device, "gridSample", samples * positions, 64),
      }),
    );
    device.run(
      sortShader({
        params: { lists: samples * plane },
        bind: { head: update(head), next: update(next) },
        workgroups: groups(device, "gridSample", samples * plane, 64),
      }),
    );
    device.run(
      inputGradientShader({
        consts: { TC },
        params: { plane, positions, channels: g.channels, first, samples, taps },
        bind: { head, next, weights, dy, dx: update(dx) },
        workgroups: fold(device, "gridSample", Math.ceil((samples * plane) / 64) * Math.ceil(g.channels / TC)),
      }),
    );
    for (const t of [head, next, weights]) t.dispose();
  }
  return dx;
}
