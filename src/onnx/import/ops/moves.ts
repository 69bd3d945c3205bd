/** @file Operators that move elements on the device. */

import { cast } from "../../../autograd/cast.ts";
import { cumsum } from "../../../autograd/cumsum.ts";
import { gather, indexSelect } from "../../../autograd/indexing.ts";
import { pad, type PadMode } from "../../../autograd/pad.ts";
import { pixelShuffle } from "../../../autograd/pixel_shuffle.ts";
import { affine, sub } from "../../../autograd/pointwise.ts";
import { repeat } from "../../../autograd/repeat.ts";
import { report } from "../../../autograd/tape.ts";
import { tril, triu } from "../../../autograd/triangle.ts";
import { concat, expand, flip, permute, reshape, slice, split, squeeze, unsqueeze } from "../../../autograd/view.ts";
import { argmax, argmin } from "../../../kernels/indexing.ts";
import { full } from "../../../kernels/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { torchEdges } from "../../../host/edges.ts";
import { broadcastShapes } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { gridSample } from "../../../autograd/grid_sample.ts";
import type { Call, Op, Ops } from "../call.ts";
import { hostLimit, hostOf, isHost, type Value } from "../../values.ts";
import { flattened, permutation, reshaped, sliceRuns, splitParts, squeezedAxes, unsqueezedAxes } from "../shapes.ts";

const viewed =
  (rule: (c: Call, from: readonly number[]) => number[]): Op =>
  (c) =>
    reshape(c.tensor(0), rule(c, c.shape(0)));

function join(c: Call): Tensor {
  const floats = c.inputs.some((v) => v && (isHost(v) ? v.kind !== "int" : v.dtype === "f32"));
  const parts = c.inputs.map((_, i) => (floats ? c.float(i) : c.tensor(i)));
  return concat(parts, c.axis(c.int("axis", 1), parts[0].rank));
}

// Kernels step forwards: what runs backwards is cut out first and turned round after.
function cut(c: Call): Tensor {
  const x = c.tensor(0);
  const runs = sliceRuns(c, x.shape);
  const part = slice(
    x,
    runs.map(({ start, count, step }) => {
      const low = step > 0 ? start : start + (count - 1) * step;
      return count === 0 ? [0, 0, 1] : [low, low + (count - 1) * Math.abs(step) + 1, Math.abs(step)];
    }),
  );
  const turned = runs.flatMap((r, i) => (r.step < 0 && r.count > 1 ? [i] : []));
  return turned.length > 0 ? flip(part, turned) : part;
}

function parts(c: Call): Tensor[] {
  const x = c.tensor(0);
  const axis = c.axis(c.int("axis", 0), x.rank);
  return split(x, splitParts(c, x.shape[axis]), axis);
}

// PyTorch's names by ONNX's.
const modes = Object.fromEntries(Object.entries(torchEdges).map(([torch, onnx]) => [onnx, torch])) as Record<string, PadMode>;

function padded(c: Call): Tensor {
  const x = c.tensor(0);
  const pads = c.listOr("pads", 1, 11) ?? [];
  const axes = (c.opset < 18 ? undefined : c.list(3))?.map((a) => c.axis(a, x.rank)) ?? x.shape.map((_, i) => i);
  if (pads.length !== 2 * axes.length) throw c.wrong(`${pads.length} pads for ${axes.length} axes`);
  const ends = x.shape.map(() => [0, 0]);
  axes.forEach((a, i) => (ends[a] = [pads[i], pads[i + axes.length]]));
  const value = c.opset < 11 ? c.floatAttribute("value", 0) : c.number(2, 0);
  const mode = modes[c.choice("mode", ["constant", "reflect", "edge", "wrap"])];
  return pad(x, ends.toReversed().flat(), { mode, value });
}

function pick(c: Call): Tensor {
  const x = c.tensor(0);
  const axis = c.axis(c.int("axis", 0), x.rank);
  const index = c.input(1);
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
  if (!isHost(index)) return reshape(indexSelect(x, axis, reshape(index, [index.size])), shape);
  const at = Array.from(index.data, (v) => (v < 0 ? v + x.shape[axis] : v));
  if (at.some((v) => v < 0 || v >= x.shape[axis])) throw c.wrong(`an index is outside of an axis of ${x.shape[axis]}`);
  if (at.length === 1 && index.shape.length < 2) {
    const part = slice(x, [...new Array<undefined>(axis).fill(undefined), [at[0], at[0] + 1, 1]]);
    return index.shape.length === 0 ? squeeze(part, axis) : part;
  }
  const places = c.device.tensor({ data: Int32Array.from(at), shape: [at.length] }, "i32");
  return reshape(indexSelect(x, axis, places), shape);
}

function pickElements(c: Call): Tensor {
  const x = c.tensor(0);
  const axis = c.axis(c.int("axis", 0), x.rank);
  const index = c.input(1);
  const size = x.shape[axis];
  if (!isHost(index)) return gather(x, axis, index);
  const data = Int32Array.from(index.data, (v) => (v < 0 ? v + size : v));
  return gather(x, axis, c.device.tensor({ data, shape: index.shape }, "i32"));
}

const blocks = (c: Call, x: Tensor): { b: number; n: number; ch: number; h: number; w: number } => {
  if (x.rank !== 4) throw c.wrong(`expected [N, C, H, W], got [${x.shape.join(", ")}]`);
  const [n, ch, h, w] = x.shape;
  return { b: c.int("blocksize", 1), n, ch, h, w };
};

function depthToSpace(c: Call): Tensor {
  const x = c.tensor(0);
  const { b, n, ch, h, w } = blocks(c, x);
  if (c.choice("mode", ["DCR", "CRD"]) === "CRD") return pixelShuffle(x, b);
  const apart = permute(reshape(x, [n, b, b, ch / (b * b), h, w]), [0, 3, 4, 1, 5, 2]);
  return reshape(apart, [n, ch / (b * b), h * b, w * b]);
}

function spaceToDepth(c: Call): Tensor {
  const x = c.tensor(0);
  const { b, n, ch, h, w } = blocks(c, x);
  const order = c.choice("mode", ["DCR", "CRD"]) === "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
  const apart = permute(reshape(x, [n, ch, h / b, b, w / b, b]), order);
  return reshape(apart, [n, ch * b * b, h / b, w / b]);
}

// More elements than the host computes with: only a filled tensor can be that large.
function filled(c: Call): Value {
  const shape = c.list(0)!;
  const tensor = c.attribute("value")?.tensor;
  const value = tensor ? c.constant(tensor) : hostOf("float", [1], () => 0);
  if (sizeOf(shape) <= hostLimit) return hostOf(value.kind, shape, () => value.data[0]);
  return full(c.device, shape, value.data[0], value.kind === "int" ? "i32" : "f32");
}

const extreme =
  (op: "argmax" | "argmin"): Op =>
  (c) => {
    const x = c.float(0);
    const [axis, keepDims] = [c.axis(c.int("axis", 0), x.rank), c.flag("keepdims", true)];
    const first = (t: Tensor) => report(op, [t], (op === "argmax" ? argmax : argmin)(t, axis, keepDims), { axis, keepDims });
    if (!c.flag("select_last_index")) return first(x);
    return cast(affine(cast(first(flip(x, axis)), "f32"), -1, x.shape[axis] - 1), "i32");
  };

function triangle(c: Call): Tensor {
  return (c.flag("upper", true) ? triu : tril)(c.float(0), c.number(1, 0));
}

function runningSum(c: Call): Tensor {
  const x = c.float(0);
  const axis = c.axis(c.number(1, 0), x.rank);
  const turn = (t: Tensor) => (c.flag("reverse") ? flip(t, axis) : t);
  const y = turn(cumsum(turn(x), axis));
  return c.flag("exclusive") ? sub(y, x) : y;
}

const samplers = {
  linear: "bilinear",
  bilinear: "bilinear",
  nearest: "nearest",
  cubic: "bicubic",
  bicubic: "bicubic",
} as const;

function sampled(c: Call): Tensor {
  const mode = c.attribute("mode") ? c.choice("mode", Object.keys(samplers) as (keyof typeof samplers)[]) : "linear";
  const paddingMode = c.choice("padding_mode", ["zeros", "border", "reflection"]);
  return gridSample(c.float(0), c.float(1), { mode: samplers[mode], paddingMode, alignCorners: c.flag("align_corners") });
}

// Both outputs: the second tells what was kept.
function dropout(c: Call): Value[] {
  if (c.opset >= 12 && c.number(2, 0) !== 0 && c.number(1, 0.5) !== 0)
    throw c.unsupported("training_mode (export the model in evaluation instead)");
  return c.node.outputs.length === 1 ? [c.input(0)] : [c.input(0), full(c.device, c.shape(0), 1)];
}

export const moveOps: Ops = {
  ArgMax: extreme("argmax"),
  ArgMin: extreme("argmin"),
  Concat: join,
  ConstantOfShape: filled,
  CumSum: runningSum,
  DepthToSpace: depthToSpace,
  Dropout: dropout,
  Expand: (c) => expand(c.tensor(0), broadcastShapes("Expand", c.shape(0), c.list(1)!)),
  Flatten: viewed(flattened),
  Gather: pick,
  GatherElements: pickElements,
  GridSample: sampled,
  Identity: (c) => c.input(0),
  Pad: padded,
  Reshape: viewed(reshaped),
  Slice: cut,
  SpaceToDepth: spaceToDepth,
  Split: parts,
  Squeeze: (c) => squeeze(c.tensor(0), squeezedAxes(c, c.shape(0))),
  Tile: (c) => repeat(c.tensor(0), c.list(1)!),
  Transpose: (c) => permute(c.tensor(0), permutation(c, c.shape(0).length)),
  Trilu: triangle,
  Unsqueeze: (c) => unsqueezedAxes(c, c.shape(0)).reduce(unsqueeze, c.tensor(0)),
};
