/** @file Pools, norms and changes of size: all work on images with the channels second. */

import { expectChannelsLast, spatialOf, windowAttributes } from "./fields.ts";
import type { Translator, Translators } from "./translator.ts";

const pool =
  (op: "MaxPool" | "AveragePool", rank: number): Translator =>
  (node, g) => {
    const attributes = { ...windowAttributes(node, rank), kernel_shape: spatialOf(node, "ksize", rank) };
    g.set(node.name, { first: g.add(op, [g.asFirst(node.input(0), rank)], attributes), rank });
  };

/** With the statistics that it has learned. */
const batchNorm: Translator = (node, g) => {
  expectChannelsLast(node);
  // Graphs of tf.keras say is_training = false; those of other writers leave it out.
  const rank = g.get(node.input(0)).rank ?? 4;
  const inputs = [g.asFirst(node.input(0), rank), ...[1, 2, 3, 4].map((i) => g.asLast(node.input(i)))];
  const epsilon = { float: node.number("epsilon", 1e-4) };
  g.set(node.name, { first: g.add("BatchNormalization", inputs, { epsilon }), rank });
};

const resize =
  (mode: "linear" | "nearest"): Translator =>
  (node, g) => {
    const half = node.flag("half_pixel_centers");
    const corners = node.flag("align_corners");
    const transform = corners ? "align_corners" : half && mode === "linear" ? "half_pixel" : "asymmetric";
    const x = g.asFirst(node.input(0), 4);
    const attributes = { mode, coordinate_transformation_mode: transform };
    const whole = g.add("Shape", [x], { end: 2 });
    const sizes = g.add("Concat", [whole, g.add("Cast", [g.asLast(node.input(1))], { to: 7 })], { axis: 0 });
    if (mode === "nearest" && half) {
      // floor((o + ½)·scale) is the nearest center, of two equally near ones the later.
      const first = g.add("Resize", [x, "", "", sizes], {
        mode,
        coordinate_transformation_mode: "half_pixel",
        nearest_mode: "round_prefer_ceil",
      });
      g.set(node.name, { first, rank: 4 });
      return;
    }
    const nearest_mode = corners ? "round_prefer_ceil" : "floor";
    g.set(node.name, { first: g.add("Resize", [x, "", "", sizes], { ...attributes, nearest_mode }), rank: 4 });
  };

const block =
  (op: "DepthToSpace" | "SpaceToDepth"): Translator =>
  (node, g) => {
    expectChannelsLast(node);
    const attributes = { blocksize: node.number("block_size", 2) };
    g.set(node.name, { first: g.add(op, [g.asFirst(node.input(0), 4)], attributes), rank: 4 });
  };

export const translators: Translators = {
  MaxPool: pool("MaxPool", 4),
  MaxPool3D: pool("MaxPool", 5),
  AvgPool: pool("AveragePool", 4),
  AvgPool3D: pool("AveragePool", 5),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  ResizeBilinear: resize("linear"),
  ResizeNearestNeighbor: resize("nearest"),
  DepthToSpace: block("DepthToSpace"),
  SpaceToDepth: block("SpaceToDepth"),
};
