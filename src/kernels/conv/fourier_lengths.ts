/** @file Which convolutions pay by Fourier transforms on a software adapter, and of what lengths: by a model of processor time, the same on every machine. */

import { sizeOf } from "../../host/array.ts";
import type { Device } from "../../tensor/device.ts";
import { hasLanes } from "../lib/subgroups.ts";
import { ROWS } from "../shaders/fourier/product.gen.ts";
import { even, frequencies, further, map } from "./fourier_passes.ts";
import type { ConvGeometry, Triple } from "./shape.ts";

/** What is computed: either direction, or the weight gradient. */
export type Kind = "plain" | "transposed" | "weight";

// What lib/fourier.wgsl transforms.
const lengths = [8, 12, 16];

// Nanoseconds of one core of lavapipe (bench/results/winograd.md): a value that a pass reads or writes, and a multiply-add of a product, of conv/rows.wgsl and of
// its weight gradient.
const perValue = 1.1;
const perProduct = 1 / 12.5;
const perDirect = 1 / 17;
const perWeight = 1 / 15;
// Its programs take a second or two to compile: where less than this is gained it is not worth while.
const leastRatio = 1.35;
const leastGain = 10e6;

/** Values that the passes of one image of one channel read and write. */
function moved(length: Triple, tiles: Triple, size: Triple): number {
  const extent = [...size];
  let before = length[2] / 2 + 1;
  let values = extent[0] * extent[1] * tiles[2] * (length[2] + 2 * before);
  for (const axis of further(length)) {
    extent[axis] = tiles[axis];
    values += before * extent[0] * extent[1] * tiles[2] * 4 * length[axis];
    before *= length[axis];
  }
  return values;
}

const tilesOf = (g: ConvGeometry, length: Triple, transposed: boolean): Triple =>
  map((a) => Math.ceil((transposed ? g.large : g.small)[a] / (length[a] - g.taps[a] + 1)));

function costOf(g: ConvGeometry, kind: Kind, length: Triple): number {
  const tiles = tilesOf(g, length, kind === "transposed");
  const [a, b] = [g.smallChannels, g.largeChannels];
  const values =
    g.samples * (a * moved(length, tiles, g.small) + b * moved(length, tiles, g.large)) +
    a * b * moved(length, [1, 1, 1], g.taps);
  const columns = g.samples * sizeOf(tiles);
  return values * perValue + 4 * frequencies(length) * a * b * columns * perProduct;
}

/** Whether spectra of the weights, and of a row of windows, can be bound. */
function fitsBindings(device: Device, g: ConvGeometry, kind: Kind, length: Triple): boolean {
  const tiles = tilesOf(g, length, kind === "transposed");
  const [a, b] = [g.smallChannels, g.largeChannels];
  const rows = (n: number) => Math.ceil(n / ROWS) * ROWS;
  const weights = kind === "transposed" ? a * rows(b) : kind === "plain" ? rows(a) * b : a * even(b);
  const windows = sizeOf(tiles) / tiles[further(length).at(-1)!];
  return 8 * frequencies(length) * Math.max(weights, windows * even(Math.max(a, b))) <= device.maxBindingSize;
}

/**
 * The best lengths for a convolution of any size that the kernels take: with a stride, dilation and groups of 1, and taps along W and another axis. Axes of
 * one tap are not padded.
 */
export function fourierLengths(device: Device, g: ConvGeometry, kind: Kind): Triple | undefined {
  const plain = g.groups === 1 && [...g.stride, ...g.dilation].every((n) => n === 1);
  const apart = ([0, 1] as const).every((a) => g.taps[a] > 1 || g.large[a] === g.small[a]);
  if (!plain || !apart || g.samples === 0 || !hasLanes(device)) return undefined;
  if (g.taps[2] < 2 || Math.max(g.taps[0], g.taps[1]) < 2) return undefined;
  const of = (a: 0 | 1 | 2) => (g.taps[a] === 1 ? [1] : lengths.filter((length) => length > g.taps[a]));
  const all = of(0).flatMap((d) => of(1).flatMap((h) => of(2).map((w): Triple => [d, h, w])));
  const fitting = all.filter((length) => fitsBindings(device, g, kind, length));
  let [best, least]: [Triple | undefined, number] = [undefined, Infinity];
  for (const length of fitting) {
    const cost = costOf(g, kind, length);
    if (cost < least) [best, least] = [length, cost];
  }
  return best;
}

/** The same where it gains something over the kernels for rows. */
export function payingLengths(device: Device, g: ConvGeometry, kind: Kind): Triple | undefined {
  const direct =
    g.samples *
    sizeOf(g.small) *
    g.smallChannels *
    g.largeChannels *
    sizeOf(g.taps) *
    (kind === "weight" ? perWeight : perDirect);
  if (direct < leastGain) return undefined;
  const length = fourierLengths(device, g, kind);
  if (!length) return undefined;
  const cost = costOf(g, kind, length);
  return direct > leastRatio * cost && direct - cost > leastGain ? length : undefined;
}
