/** @file Resize and its predecessor Upsample: per axis the weights of each output, as ONNX defines them. */

import { reshape } from "../../../autograd/view.ts";
import { cubicWeight } from "../../../host/taps.ts";
import { type AxisMap, mapRow } from "../../../kernels/resample.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";
import { hostInts, type HostValue } from "../../values.ts";
import { applyMaps, mapsGradient } from "../maps.ts";
import { native, type NativeNode } from "../../native.ts";

const transforms = [
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
  "tf_crop_and_resize",
] as const;
const roundings = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const;
const policies = ["stretch", "not_larger", "not_smaller"] as const;

interface Settings {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly transform: (typeof transforms)[number];
  readonly rounding: (typeof roundings)[number];
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Part of the input that tf_crop_and_resize takes, 0 to 1. */
  readonly crop: readonly [start: number, end: number];
}

// In f32, because that is where runtimes compute them: for nearest the rounding decides.
const f = Math.fround;

/** Position in the input of output `o`. */
function position(o: number, { from, to, scale, crop }: Axis, transform: Settings["transform"]): number {
  const half = f(f((o + 0.5) / scale) - 0.5);
  switch (transform) {
    case "half_pixel":
      return half;
    case "half_pixel_symmetric":
      return f((from / 2) * (1 - to / (scale * from)) + half);
    case "pytorch_half_pixel":
      return to > 1 ? half : 0;
    case "align_corners":
      return to > 1 ? f((o * (from - 1)) / (to - 1)) : 0;
    case "asymmetric":
      return f(o / scale);
    case "tf_crop_and_resize":
      return to > 1
        ? f(crop[0] * (from - 1) + (o * (crop[1] - crop[0]) * (from - 1)) / (to - 1))
        : f(0.5 * (crop[0] + crop[1]) * (from - 1));
  }
}

function nearest(x: number, rounding: Settings["rounding"]): number {
  switch (rounding) {
    case "round_prefer_floor":
      return Math.ceil(x - 0.5);
    case "round_prefer_ceil":
      return Math.floor(x + 0.5);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
  }
}

const linear = (d: number): number => Math.max(0, 1 - Math.abs(d));

/** Elements of the input and their weights; places outside repeat the border. */
function taps(x: number, axis: Axis, s: Settings): (readonly [number, number])[] {
  const inside = (i: number) => Math.min(axis.from - 1, Math.max(0, i));
  if (s.mode === "nearest") return [[inside(nearest(x, s.rounding)), 1]];
  const radius = s.mode === "linear" ? 1 : 2;
  // Antialiasing widens the kernel by as much as the image shrinks.
  const shrink = s.antialias ? Math.min(axis.scale, 1) : 1;
  const low = Math.floor(x);
  const reach = Math.ceil(radius / shrink);
  const list = Array.from({ length: 2 * reach + 1 }, (_, k): [number, number] => {
    const i = low - reach + 1 + k;
    const d = (x - i) * shrink;
    return [i, s.mode === "linear" ? linear(d) : cubicWeight(d, s.cubic)];
  });
  const used = s.excludeOutside ? list.filter(([i]) => i >= 0 && i < axis.from) : list;
  const total = s.excludeOutside || s.antialias ? used.reduce((sum, [, w]) => sum + w, 0) : 1;
  return used.map(([i, w]) => [inside(i), w / total]);
}

function axisMap(axis: Axis, s: Settings): AxisMap | undefined {
  const crops = s.transform === "tf_crop_and_resize";
  if (!crops && axis.from === axis.to && axis.scale === 1) return undefined;
  const rows = Array.from({ length: axis.to }, (_, o) => {
    const x = position(o, axis, s.transform);
    // Beyond the input is the extrapolation value, which is 0.
    return crops && (x < 0 || x > axis.from - 1) ? mapRow([]) : mapRow(taps(x, axis, s));
  });
  return { from: axis.from, rows };
}

/** Sizes and scales per axis, from whichever is given. */
function axesOf(c: Call, shape: readonly number[]): Axis[] {
  const old = c.node.op === "Upsample" || c.opset < 11;
  const axes = (c.ints("axes") ?? shape.map((_, i) => i)).map((a) => c.axis(a, shape.length));
  const given = (i: number) => {
    const list = c.list(i);
    return list && list.length > 0 ? list : undefined;
  };
  const scales = c.node.op === "Upsample" && c.opset < 9 ? c.attribute("scales")?.floats : given(old ? 1 : 2);
  const sizes = old ? undefined : given(3);
  const roi = old ? undefined : given(1);
  if ((scales === undefined) === (sizes === undefined)) throw c.wrong("either scales or sizes must be given");
  const list = (scales ?? sizes)!;
  if (list.length !== axes.length || list.some((v) => !(v > 0))) throw c.wrong(`[${list.join(", ")}] for ${axes.length} axes`);
  const policy = c.choice("keep_aspect_ratio_policy", policies);
  const factors = sizes?.map((n, i) => n / shape[axes[i]]);
  const kept =
    factors && policy !== "stretch" ? (policy === "not_larger" ? Math.min(...factors) : Math.max(...factors)) : undefined;
  return shape.map((from, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return { from, to: from, scale: 1, crop: [0, 1] };
    const scale = scales?.[i] ?? kept ?? factors![i];
    const to = scales ? Math.floor(f(from * scale)) : kept === undefined ? sizes![i] : Math.floor(kept * from + 0.5);
    if (to < 1) throw c.wrong(`an axis of ${from} elements with scale ${scale} is empty`);
    return { from, to, scale, crop: roi ? [roi[i], roi[i + axes.length]] : [0, 1] };
  });
}

function settings(c: Call): Settings {
  const old = c.node.op === "Upsample" || c.opset < 11;
  const mode = c.choice("mode", ["nearest", "linear", "bilinear", "trilinear", "cubic"]);
  return {
    mode: mode === "nearest" || mode === "cubic" ? mode : "linear",
    transform: old ? "asymmetric" : c.choice("coordinate_transformation_mode", transforms),
    rounding: old ? "floor" : c.choice("nearest_mode", roundings),
    cubic: c.floatAttribute("cubic_coeff_a", -0.75),
    excludeOutside: c.flag("exclude_outside"),
    antialias: c.flag("antialias"),
  };
}

/** The node in operator set 18: only axes that change, with the scale or the size that they were given. */
function resizeNode(
  c: Call,
  all: readonly Axis[],
  maps: readonly (AxisMap | undefined)[],
): Pick<NativeNode, "attributes" | "operands"> {
  const s = settings(c);
  const changed = all.flatMap((_, i) => (maps[i] ? [i] : []));
  const axes = changed.map((i) => all[i]);
  const attributes = {
    axes: changed,
    mode: s.mode,
    coordinate_transformation_mode: s.transform,
    nearest_mode: s.rounding,
    cubic_coeff_a: { float: s.cubic },
    exclude_outside: s.excludeOutside ? 1 : 0,
    antialias: s.antialias ? 1 : 0,
  };
  const floats = (list: readonly number[]): HostValue => ({ kind: "float", data: Float32Array.from(list), shape: [list.length] });
  const roi = s.transform === "tf_crop_and_resize" ? floats([0, 1].flatMap((end) => axes.map((a) => a.crop[end]))) : undefined;
  const sized = c.node.op === "Resize" && c.opset > 10 && (c.list(3)?.length ?? 0) > 0;
  return {
    attributes,
    operands: sized ? [roi, undefined, hostInts(axes.map((a) => a.to))] : [roi, floats(axes.map((a) => a.scale))],
  };
}

function resize(c: Call): Tensor {
  const x = c.float(0);
  const s = settings(c);
  if (s.transform === "tf_crop_and_resize" && c.floatAttribute("extrapolation_value", 0) !== 0) {
    throw c.unsupported("an extrapolation_value that is not 0");
  }
  const axes = axesOf(c, x.shape);
  const maps = axes.map((axis) => axisMap(axis, s));
  if (maps.every((map) => map === undefined)) return reshape(x, x.shape);
  return native(x, applyMaps(x, maps), (dy) => [mapsGradient(dy, maps)], {
    op: "Resize",
    ...resizeNode(c, axes, maps),
  });
}

export const operators: Operators = {
  Resize: { device: resize, known: [1, 2, 3] },
  Upsample: { device: resize, known: [1] },
};
