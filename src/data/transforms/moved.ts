/**
 * @file How a spatial transform keeps a volume's geometry true: it says where the voxels of its result were, and how to take it back. `invert` does.
 */
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { holdsIntegers, type HostArray, type TypedArray } from "../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import { inverseOf, type Matrix, product, scaling, translation } from "../../host/matrix.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView, emptyLike } from "../../host/strided.ts";
import { type Affine, makeVolume, type Step, type Undo, type Volume } from "../volume.ts";
import { sampleAffine } from "./spatial/sample.ts";

/** Whether an array is a volume, with a place in space. */
export const isVolume = (x: HostArray): x is Volume => "affine" in x && x.shape.length === 4;

/** A plain array, or the volume that `x` became: its voxel i was voxel `matrix` · i of `x`. */
export function moved<A extends TypedArray>(
  name: string,
  x: HostArray,
  out: HostArray<A>,
  matrix: Matrix,
  undo: Undo,
): HostArray<A> {
  if (!isVolume(x) || out.shape.length !== 4 || matrix.length !== 4) return { data: out.data, shape: out.shape };
  const step: Step = { name, shape: x.shape.slice(1), affine: x.affine, undo };
  return makeVolume(out, product(x.affine, matrix), { ...x.meta, applied: [...(x.meta.applied ?? []), step] });
}

/** The result of a crop or padding whose voxel i is voxel i + `start` of `x`. */
export const movedWindow = <A extends TypedArray>(name: string, x: HostArray, out: HostArray<A>, start: readonly number[]) =>
  moved(name, x, out, translation(start), { kind: "window", start });

/** The matrix of a resize that maps outer faces onto each other, as MONAI writes it into the affine. */
export function resizeMatrix(from: readonly number[], to: readonly number[]): number[][] {
  const scale = from.map((s, i) => s / Math.max(to[i], 1));
  return product(translation(scale.map((s) => (s - 1) / 2)), scaling(scale));
}

/** Spatial axes of a channel-first array, rearranged: axis a of the result is axis `axes[a]`, reversed where `flips[a]`. */
export function turn<A extends TypedArray>(
  name: string,
  x: HostArray<A>,
  axes: readonly number[],
  flips: readonly boolean[],
): HostArray<A> {
  const strides = stridesOf(x.shape);
  const shape = axes.map((a) => x.shape[a + 1]);
  const steps = axes.map((a, i) => (flips[i] ? -strides[a + 1] : strides[a + 1]));
  const start = axes.reduce((sum, a, i) => sum + (flips[i] ? strides[a + 1] * (shape[i] - 1) : 0), 0);
  const out = copyView(x.data, [x.shape[0], ...shape], [strides[0], ...steps], start);
  const matrix = [...axes, axes.length].map((_, r) => new Array<number>(axes.length + 1).fill(r === axes.length ? 0 : 0));
  matrix[axes.length][axes.length] = 1;
  axes.forEach((a, i) => {
    matrix[a][i] = flips[i] ? -1 : 1;
    matrix[a][axes.length] = flips[i] ? shape[i] - 1 : 0;
  });
  return moved(name, x, out, matrix, { kind: "turn", axes: [...axes], flips: [...flips] });
}

/** How `invert` samples where a step resampled. */
export interface InvertOptions {
  /** Default: nearest for labels and for what was sampled so, else linear. */
  readonly mode?: "nearest" | "linear";
  /** Value outside of what the steps kept, e.g. beyond a crop. Default 0. */
  readonly fill?: number;
}

/**
 * Takes a volume back to the space of the file it came from: the steps of `meta.applied` are undone, the last first. A prediction on the voxels of a
 * transformed image is inverted as `invert(withGeometryOf(image, prediction))`.
 *
 * Crops come back padded with `fill`; turns and padding come back exactly; resampling is undone by sampling at the inverse place, with what was outside on
 * the way there.
 * The result has the shape and the affine that the source had. MONAI's `Invertd`.
 * @param volume `[C, nx, ny, nz]`
 * @returns `[C, …]` of the source, without steps; the volume itself if nothing was applied
 * @throws DataError for a step that nothing takes back, ConfigError for an unknown mode and a `fill` that the volume's element type has not
 */
export function invert<A extends TypedArray>(volume: Volume<A>, options: InvertOptions = {}): Volume<A> {
  expectOptions("invert", options, "mode fill:number");
  expectArguments("invert", "volume", { volume });
  const { mode, fill = 0 } = options;
  if (mode !== undefined && mode !== "nearest" && mode !== "linear")
    throw new ConfigError(`invert: mode must be "nearest" or "linear", got "${String(mode)}"`);
  const own = emptyLike(volume.data, 1).fill(fill)[0];
  if (own !== fill && holdsIntegers(volume.data))
    throw new ConfigError(`invert: fill is ${fill}, which a ${volume.data.constructor.name} would keep as ${own}`);
  const { applied = [], ...meta } = volume.meta;
  if (applied.length === 0) return volume;
  let x: HostArray = volume;
  for (const step of applied.toReversed()) {
    const label = volume.meta.kind === "label";
    x = undo(x, step, (step.undo.kind === "resample" && step.undo.nearest) || label ? "nearest" : "linear", mode, fill);
  }
  const data = x.data instanceof (volume.data.constructor as new () => TypedArray) ? (x.data as A) : rounded(x.data, volume.data);
  return makeVolume({ data, shape: x.shape }, applied[0].affine, meta);
}

function undo(x: HostArray, { name, shape, undo: how }: Step, usual: "nearest" | "linear", mode = usual, fill = 0): HostArray {
  const plain: HostArray = { data: x.data, shape: x.shape };
  switch (how.kind) {
    case "turn": {
      const axes = how.axes.map((_, a) => how.axes.indexOf(a));
      const back = turn(
        name,
        plain,
        axes,
        axes.map((a) => how.flips[a]),
      );
      return expectBack(name, back, shape);
    }
    case "window":
      return pasted(plain, shape, how.start, fill);
    case "resample": {
      const back = inverseOf(how.matrix);
      if (!back) throw new DataError(`invert: the step ${name} is not invertible: its matrix is singular`);
      return sampleAffine(plain, shape, back as unknown as Affine, { mode, paddingMode: how.outside ?? "border" });
    }
    case "lost":
      throw new DataError(`invert: the step ${name} deforms the image and cannot be taken back; leave it out for inference`);
  }
}

function expectBack(name: string, x: HostArray, shape: readonly number[]): HostArray {
  if (x.shape.slice(1).join() === shape.join()) return x;
  throw new ShapeError(
    `invert: undoing ${name} gives size [${x.shape.slice(1)}], but it had [${shape}] before; give an array on the voxels of the transformed image`,
  );
}

/** An array of `size`, filled, with `x` put at `start`; what sticks out is cut. */
function pasted(x: HostArray, size: readonly number[], start: readonly number[], fill: number): HostArray {
  const out = emptyLike(x.data, x.shape[0] * size.reduce((a, b) => a * b, 1));
  if (fill !== 0) out.fill(fill);
  const from = start.map((s) => Math.max(0, -s));
  const extent = size.map((s, i) => Math.max(0, Math.min(s, start[i] + x.shape[i + 1]) - Math.max(0, start[i])));
  if (extent.includes(0) || out.length === 0) return { data: out, shape: [x.shape[0], ...size] };
  const inner = extent.at(-1)!;
  const source = stridesOf(x.shape);
  const target = stridesOf([x.shape[0], ...size]);
  const rows = extent.slice(0, -1);
  const count = rows.reduce((a, b) => a * b, x.shape[0]);
  for (let row = 0; row < count; row++) {
    let rest = row;
    let f = from.at(-1)!;
    let t = Math.max(0, start.at(-1)!);
    for (let a = rows.length - 1; a >= 0; a--) {
      const at = rest % rows[a];
      rest = (rest - at) / rows[a];
      f += (at + from[a]) * source[a + 1];
      t += (at + Math.max(0, start[a])) * target[a + 1];
    }
    out.set(x.data.subarray(f + rest * source[0], f + rest * source[0] + inner), t + rest * target[0]);
  }
  return { data: out, shape: [x.shape[0], ...size] };
}

/** Values in the element type that the volume had: sampling works in float32. */
function rounded<A extends TypedArray>(data: TypedArray, like: A): A {
  const out = emptyLike(like, data.length);
  const integer = holdsIntegers(like);
  for (let i = 0; i < out.length; i++) out[i] = integer ? Math.round(data[i]) : data[i];
  return out;
}
