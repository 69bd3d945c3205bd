/**
 * @file Convolution of stride 1 by discrete Fourier transforms (overlap-save), for software adapters: spectra of windows of L values along each axis, a product of
 * complex matrices per frequency, and the way back, of which L - taps + 1 values per axis are right.
 */

import { sizeOf } from "../../host/array.ts";
import type { Shape } from "../../host/shape.ts";
import { update, write } from "../../tensor/kernel.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fold } from "../lib/workgroups.ts";
import { COLUMNS, LANES, productShader, ROWS } from "../shaders/fourier/product.gen.ts";
import type { Triple } from "./shape.ts";
import { even, frequencies, further, images, map, type Share, spectra } from "./fourier_passes.ts";
import type { Gather, WeightGradient } from "./over_limit.ts";

/** A product of matrices, with distances in vectors of two values as in fourier/product.wgsl. */
interface Product {
  readonly frequencies: number;
  readonly rows: number;
  readonly terms: number;
  readonly columns: number;
  readonly a_matrix: number;
  readonly a_tile: number;
  readonly a_term: number;
  readonly b_matrix: number;
  readonly b_line: number;
}

/** To `y` `[frequencies, columns, rows up to an even number]`, or added to it `again`. `b` has terms of columns side by side, or columns of terms. */
function multiply(a: Tensor, b: Tensor, y: Tensor, product: Product, side: "terms" | "columns", again = false): void {
  const across = Math.ceil(product.columns / (LANES * COLUMNS));
  const tiles = Math.ceil(product.rows / ROWS);
  a.device.run(
    productShader({
      params: { ...product, tiles, across, again: again ? 1 : 0, y_line: even(product.rows) / 2 },
      bind: { a, b, y: again ? update(y) : write(y) },
      workgroups: fold(a.device, "conv", across * tiles * product.frequencies),
      overrides: { ACROSS: side === "columns" ? 1 : 0 },
      variant: side === "columns" ? "across" : "",
    }),
  );
}

// Spectra of this many bytes are worked on at a time.
const mostBytes = 2 ** 25;

/** Samples and tiles of the outermost axis, so that spectra of `channels` do not take too much memory. */
function* shares(device: Device, samples: number, length: Triple, tiles: Triple, channels: number): Generator<Share> {
  const outer = further(length).at(-1)!;
  const row = 8 * frequencies(length) * (sizeOf(tiles) / tiles[outer]) * even(channels);
  const rows = Math.max(1, Math.floor(Math.min(mostBytes, device.maxBindingSize) / row));
  if (rows >= 2 * tiles[outer]) {
    const most = Math.floor(rows / tiles[outer]);
    for (let sample = 0; sample < samples; sample += most)
      yield { sample, samples: Math.min(most, samples - sample), tile: 0, tiles: tiles[outer] };
    return;
  }
  for (let sample = 0; sample < samples; sample++)
    for (let tile = 0; tile < tiles[outer]; tile += rows)
      yield { sample, samples: 1, tile, tiles: Math.min(rows, tiles[outer] - tile) };
}

const windowsOf = (share: Share, length: Triple, tiles: Triple): number => {
  const outer = further(length).at(-1)!;
  return share.samples * share.tiles * (sizeOf(tiles) / tiles[outer]);
};

const one = { sample: 0, samples: 1, tile: 0, tiles: 1 };
const ones: Triple = [1, 1, 1];
const zeros: Triple = [0, 0, 0];

/** Either direction of a convolution. */
export function gatherFourier({ g, transposed, x, weight, bias, y, relu, residual }: Gather, length: Triple): void {
  const [from, to] = transposed ? [g.small, g.large] : [g.large, g.small];
  const [inputs, outputs] = transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];
  const step = map((a) => length[a] - g.taps[a] + 1);
  const tiles = map((a) => Math.ceil(to[a] / step[a]));
  const start = map((a) => (transposed ? g.padding[a] - g.taps[a] + 1 : -g.padding[a]));
  const taps = { length, tiles: ones, step: zeros, start: zeros, reach: g.taps, size: g.taps };
  const tiling = { columns: g.largeChannels, across: transposed, scale: 1 / sizeOf(length) };
  const w = spectra(weight, g.smallChannels * g.largeChannels, taps, one, transposed ? -1 : 1, tiling);
  const windows = { length, tiles, step, start, reach: length, size: from };
  const kept = { length, tiles, skip: map((a) => (transposed ? g.taps[a] - 1 : 0)), keep: step, size: to };
  const F = frequencies(length);
  for (const share of shares(x.device, g.samples, length, tiles, Math.max(inputs, outputs))) {
    const spectrum = spectra(x, inputs, windows, share, -1);
    const columns = windowsOf(share, length, tiles);
    const product = x.device.empty([F, columns, even(outputs), 2]);
    const a_tile = (inputs * ROWS) / 2;
    const sizes = {
      frequencies: F,
      rows: outputs,
      terms: inputs,
      columns,
      a_matrix: Math.ceil(outputs / ROWS) * a_tile,
      a_tile,
      a_term: ROWS / 2,
      b_matrix: (columns * even(inputs)) / 2,
      b_line: even(inputs) / 2,
    };
    multiply(w, spectrum, product, sizes, "terms");
    spectrum.dispose();
    images(product, y, outputs, 1, kept, share, { bias, residual, relu });
  }
  w.dispose();
}

/** The weight gradient of a convolution. */
export function weightGradientFourier({ g, small, large }: WeightGradient, weightShape: Shape, length: Triple): Tensor {
  const step = map((a) => length[a] - g.taps[a] + 1);
  const tiles = map((a) => Math.ceil(g.small[a] / step[a]));
  const inputs = { length, tiles, step, start: map((a) => -g.padding[a]), reach: length, size: g.large };
  const outputs = { length, tiles, step, start: zeros, reach: step, size: g.small };
  const [a, b] = [g.smallChannels, g.largeChannels];
  const F = frequencies(length);
  const sum = small.device.empty([F, a, even(b), 2]);
  let again = false;
  for (const share of shares(small.device, g.samples, length, tiles, Math.max(a, b))) {
    const x = spectra(large, b, inputs, share, -1);
    const d = spectra(small, a, outputs, share, 1);
    const terms = windowsOf(share, length, tiles);
    const sizes = {
      frequencies: F,
      rows: b,
      terms,
      columns: a,
      a_matrix: (terms * even(b)) / 2,
      a_tile: ROWS / 2,
      a_term: even(b) / 2,
      b_matrix: (terms * even(a)) / 2,
      b_line: even(a) / 2,
    };
    multiply(x, d, sum, sizes, "columns", again);
    x.dispose();
    d.dispose();
    again = true;
  }
  const dw = small.device.empty(weightShape);
  const kept = { length, tiles: ones, skip: zeros, keep: g.taps, size: g.taps };
  images(sum, dw, b, a, kept, one, { scale: 1 / sizeOf(length) });
  return dw;
}
