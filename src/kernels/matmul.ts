/** @file Batched matrix products of strided operands, with an optional bias along the columns. */

import { sizeOf } from "../host/array.ts";
import { write } from "../tensor/kernel.ts";
import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors, half } from "./lib/args.ts";
import { chosen, sizeClass, type Trial, type Trials } from "./lib/choices.ts";
import { fits } from "./lib/pieces.ts";
import { workgroupsToFill } from "./lib/occupancy.ts";
import { hasLanes } from "./lib/subgroups.ts";
import { fold } from "./lib/workgroups.ts";
import { hasMatrix, type MatrixTile, matrixTile, packOperands, stepOf, unpacked } from "./matmul_matrix.ts";
import { matmulInBlocks } from "./matmul_over_limit.ts";
import { matmulFlops, type MatmulGeometry, matmulShape } from "./matmul_shape.ts";
import { reduceSum } from "./reduce.ts";
import { BLOCK } from "./shaders/lib/matmul.gen.ts";
import { lanesShader } from "./shaders/matmul/lanes.gen.ts";
import { matrixShader } from "./shaders/matmul/matrix.gen.ts";
import { registersShader } from "./shaders/matmul/registers.gen.ts";
import { tileShader } from "./shaders/matmul/tile.gen.ts";

export { matmulFlops, type MatmulGeometry, type MatmulOptions, matmulShape } from "./matmul_shape.ts";

/** See matmul/tile.wgsl. */
interface Tile {
  readonly MG: number;
  readonly NG: number;
  readonly RM: number;
  readonly RN: number;
  readonly STEP: number;
}

/** See matmul/lanes.wgsl. */
interface Lanes {
  readonly PC: number;
  readonly PARTS: number;
  readonly TP: number;
}

const variants: Readonly<Record<"registers" | "lanes" | "tile 128x128" | "tile 64x64", Tile | Lanes | undefined>> = {
  registers: undefined,
  lanes: { PC: 8, PARTS: 4, TP: 8 },
  "tile 128x128": { MG: 16, NG: 16, RM: 2, RN: 2, STEP: 8 },
  "tile 64x64": { MG: 16, NG: 16, RM: 1, RN: 1, STEP: 16 },
};

/** A variant of the kernel; by default chosen by the device. */
export type MatmulVariant = keyof typeof variants;

/** The fixed table: the tile with the most reuse of which there are enough. */
function ruleOf(device: Device, g: MatmulGeometry): MatmulVariant {
  const { rows, columns, batch } = g;
  // Its program takes LLVM half a second more: not for what is done in a few milliseconds.
  if (device.software)
    return hasLanes(device) && rows >= 16 && columns >= 64 && matmulFlops(g) >= 2 ** 23 ? "lanes" : "registers";
  const large = Math.ceil(rows / 128) * Math.ceil(columns / 128) * sizeOf(batch);
  return large >= workgroupsToFill(device, "conv") ? "tile 128x128" : "tile 64x64";
}

// A software adapter compiles the large tile for ten seconds and never wants it.
const namesOf = (device: Device): string[] =>
  Object.keys(variants).filter((name) => (name === "lanes" ? hasLanes(device) : !device.software || name !== "tile 128x128"));

/** Class of a product, under which `tune` notes its choice. */
const problemOf = (g: MatmulGeometry): string =>
  `matmul ${[g.rows, g.inner, g.columns, sizeOf(g.batch)].map((n) => sizeClass(n, 4096)).join("x")}`;

// Products of a slab at most, as in the weight gradient of `conv`; the kernels add them in blocks.
const slabTerms = 4096;

const four = ([i, j, k, l]: readonly number[], fill: number) => [i ?? fill, j ?? fill, k ?? fill, l ?? fill] as const;

/** Rows and columns of a workgroup. */
function shareOf(g: MatmulGeometry, tile: Tile | Lanes | MatrixTile | undefined): readonly [number, number] {
  if (!tile) return [g.rows > 4 ? 8 : g.rows > 1 ? 4 : 1, 64];
  if ("SM" in tile) return [tile.SM * tile.RM * tile.M, tile.SN * tile.RN * tile.N];
  if ("MG" in tile) return [4 * tile.MG * tile.RM, 4 * tile.NG * tile.RN];
  return [tile.PC * tile.PARTS, 8 * Math.min(4, Math.ceil(g.columns / (8 * tile.TP))) * tile.TP];
}

// Slabs where the result is small, as in the weight gradient of `linear`.
function slabsOf(device: Device, g: MatmulGeometry, tile: Tile | Lanes | MatrixTile | undefined) {
  const [tileRows, tileColumns] = shareOf(g, tile);
  const tiles = Math.ceil(g.rows / tileRows) * Math.ceil(g.columns / tileColumns) * sizeOf(g.batch);
  const busy = Math.min(Math.ceil(workgroupsToFill(device, "matmul") / Math.max(1, tiles)), Math.ceil(g.inner / 256));
  const step = tile && "SM" in tile ? stepOf(tile) : 1;
  const slab = step * Math.max(1, Math.ceil(g.inner / Math.max(1, busy, Math.ceil(g.inner / slabTerms)) / step));
  return { tiles, slab, slabs: Math.max(1, Math.ceil(g.inner / slab)) };
}

/** Whether `matmul` takes a product of two f16 operands on this device; elsewhere they have to be f32. */
export const takesHalf = (device: Device, g: MatmulGeometry): boolean => hasMatrix(device, g);

/** The product in f32, plus `bias` `[columns]` in f32 on every row. Both operands are f32, or f16 where `takesHalf`. */
export function matmul(
  op: string,
  a: Tensor,
  b: Tensor,
  bias: Tensor | undefined,
  g: MatmulGeometry,
  variant?: MatmulVariant,
): Tensor {
  const { device } = a;
  expectTensors(op, { a, b }, half(a) ? "f16" : "f32");
  if (bias) expectTensors(op, { bias });
  const tileOf = (g: MatmulGeometry) => {
    if (half(a)) return matrixTile(device, g);
    return variant ? variants[variant] : chosen(device, problemOf(g), variants, ruleOf(device, g));
  };
  const tile = tileOf(g);
  const [tileRows, tileColumns] = shareOf(g, tile);
  const batches = sizeOf(g.batch);
  const { tiles, slab, slabs } = slabsOf(device, g, tile);
  const shape = slabs > 1 ? [slabs, ...g.outShape] : g.outShape;
  const packs = half(a) && unpacked(g).length > 0;
  // A packed operand has less than twice the terms.
  const large = packs && 4 * Math.max(a.size, b.size) > device.maxBindingSize;
  if (large || !fits(a, b) || 4 * sizeOf(shape) > device.maxBindingSize) {
    return matmulInBlocks(
      op,
      { a, b, bias, g },
      (g) => slabsOf(device, g, tileOf(g)).slabs,
      ({ a, b, bias, g }) => matmul(op, a, b, bias, g, variant),
    );
  }
  if (packs && sizeOf(shape) > 0) {
    const packed = packOperands(op, { a, b }, g);
    const y = matmul(op, packed.a, packed.b, bias, packed.g);
    for (const t of packed.own) t.dispose();
    return y;
  }
  const y = device.empty(shape);
  if (y.size === 0) return y;
  const blocked = slab > BLOCK;
  const call = {
    half: half(a),
    variant: blocked ? "blocked" : "",
    params: {
      rows: g.rows,
      columns: g.columns,
      inner: g.inner,
      slab,
      a_row: g.a.row,
      a_inner: g.a.column,
      b_inner: g.b.row,
      b_column: g.b.column,
      batch: four(g.batch, 1),
      a_batch: four(g.a.batch, 0),
      b_batch: four(g.b.batch, 0),
      batches,
      slabs,
      has_bias: bias ? 1 : 0,
    },
    bind: { a, b, bias: bias ?? a, y: write(y) },
    workgroups: fold(device, op, tiles * slabs),
  };
  const BLOCKED = blocked ? 1 : 0;
  if (!tile) device.run(registersShader({ ...call, consts: { TM: tileRows }, overrides: { WG: tileColumns / 8, BLOCKED } }));
  else if ("SM" in tile) {
    const { half: _, ...rest } = call;
    device.run(matrixShader({ ...rest, consts: tile, overrides: { BLOCKED: 0 }, variant: "" }));
  } else if ("MG" in tile) device.run(tileShader({ ...call, consts: tile, overrides: { BLOCKED } }));
  else {
    const WG = tileColumns / tile.TP;
    device.run(lanesShader({ ...call, consts: tile, overrides: { WG, BLOCKED: 1 }, variant: `WG${WG}` }));
  }
  if (slabs === 1) return y;
  const total = reduceSum(y, [0], false);
  y.dispose();
  return total;
}

function trial(device: Device, rows: number, inner: number, columns: number): Trial {
  const [a, b] = [
    [rows, inner],
    [inner, columns],
  ];
  const g = matmulShape("matmul", a, b);
  const prepare = () => {
    const [x, y] = [a, b].map((shape) =>
      device.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k * 0.37)), shape }),
    );
    return { run: () => matmul("matmul", x, y, undefined, g).dispose(), dispose: () => [x, y].forEach((t) => t.dispose()) };
  };
  return { problem: problemOf(g), variants: namesOf(device), rule: ruleOf(device, g), prepare };
}

/** Layers of few and many features, their weight gradients, and large matrices. */
export const matmulTrials: Trials = (device) =>
  (
    [
      [4096, 32, 32],
      [1024, 64, 64],
      [1024, 256, 256],
      [16, 512, 16],
      [64, 4096, 64],
      [256, 4096, 256],
      [512, 512, 512],
    ] as const
  ).map(([rows, inner, columns]) => trial(device, rows, inner, columns));
