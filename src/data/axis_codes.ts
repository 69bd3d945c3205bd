/**
 * @file Which way the axes of a volume point in the patient, and volumes turned to point another way: axes are swapped and reversed, no voxel is
 * resampled, and the affine goes along, so that every voxel keeps its place in space.
 */

import { expectArguments, expectKinds, expectFields } from "../host/kinds.ts";
import type { HostArray, TypedArray } from "../host/array.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { inverseOf, type Matrix } from "../host/matrix.ts";
import { stridesOf } from "../host/shape.ts";
import { copyView } from "../host/strided.ts";
import { type Affine, makeVolume, type Volume } from "./volume.ts";

/** For x, y and z of space the code of an axis that points down, and of one that points up: left/right, posterior/anterior, inferior/superior. */
const codes = ["LR", "PA", "IS"] as const;

/** How an array turns into another: its axis a is axis `axes[a]` of the source, reversed where `flips[a]`. Spatial axes only. */
export interface Turn {
  /** Axis of the source that each axis of the result is. */
  readonly axes: readonly [number, number, number];
  /** Whether each axis of the result runs backwards. */
  readonly flips: readonly [boolean, boolean, boolean];
}

const expectTurn = (op: string, turn: Turn): void => expectFields(op, "turn", turn, { axes: "numbers", flips: "list" });

/** The rotation (or reflection) nearest to the directions of the axes, by Newton's iteration for the polar decomposition. */
function nearestRotation(affine: Matrix): Matrix {
  const dims = affine.length - 1;
  const size = (c: number) => Math.hypot(...affine.slice(0, dims).map((row) => row[c])) || 1;
  let m: Matrix = affine.slice(0, dims).map((row) => row.slice(0, dims).map((v, c) => v / size(c)));
  for (let i = 0; i < 100; i++) {
    const back = inverseOf(m);
    if (!back) break;
    const next = m.map((row, r) => row.map((v, c) => (v + back[c][r]) / 2));
    const change = Math.max(...next.flatMap((row, r) => row.map((v, c) => Math.abs(v - m[r][c]))));
    m = next;
    if (change < 1e-12) break;
  }
  return m;
}

/** For each array axis the axis of space that it goes along most, and whether it goes up. The most aligned axis chooses first, as in nibabel. */
export function axisDirections(affine: Matrix): { space: number; up: boolean }[] {
  expectArguments("axisDirections", "matrix", { affine });
  const m = nearestRotation(affine);
  const all = m.map((_, i) => i);
  const largest = (c: number) => Math.max(...m.map((row) => row[c] ** 2));
  const found = new Array<{ space: number; up: boolean }>(m.length);
  const taken = new Set<number>();
  for (const axis of all.toSorted((a, b) => largest(b) - largest(a))) {
    const free = all.filter((s) => !taken.has(s));
    const space = free.reduce((best, s) => (Math.abs(m[s][axis]) > Math.abs(m[best][axis]) ? s : best));
    taken.add(space);
    found[axis] = { space, up: !(m[space][axis] < 0) };
  }
  return found;
}

/** Where the axes of a volume point, such as "RAS" (right, anterior, superior), as nibabel's `aff2axcodes` says it. */
export function axisCodes(affine: Affine): string {
  expectArguments("axisCodes", "affine", { affine });
  return axisDirections(affine)
    .map(({ space, up }) => codes[space][up ? 1 : 0])
    .join("");
}

/**
 * The turn that makes axes of this affine point as the codes say. Throws `ConfigError` for codes that name no three axes.
 * @param wanted where the axes point, such as "RAS"
 */
export function turnTo(affine: Affine, wanted: string): Turn {
  expectKinds("turnTo", { affine: { affine }, text: { wanted } });
  const targets = [...wanted].map((code) => {
    const space = codes.findIndex((pair) => pair.includes(code));
    return { space, up: codes[space]?.[1] === code };
  });
  if (targets.length !== 3 || new Set(targets.filter((t) => t.space >= 0).map((t) => t.space)).size !== 3) {
    throw new ConfigError(
      `orientation ${JSON.stringify(wanted)}: expected one of L and R, one of P and A, one of I and S, such as "RAS"`,
    );
  }
  const has = axisDirections(affine);
  const axes = targets.map((t) => has.findIndex((h) => h.space === t.space));
  const flips = targets.map((t, a) => has[axes[a]].up !== t.up);
  return { axes, flips } as unknown as Turn;
}

/** The turn that undoes another. */
export function undone(turn: Turn): Turn {
  expectTurn("undone", turn);
  const { axes, flips } = turn;
  const back = [0, 1, 2].map((a) => axes.indexOf(a));
  return { axes: back, flips: back.map((a) => flips[a]) } as unknown as Turn;
}

const isNone = ({ axes, flips }: Turn): boolean => axes.every((a, i) => a === i) && !flips.includes(true);

/** An array `[C, x, y, z]`, turned; the array itself if nothing is to be done. Throws `ShapeError`. */
export function turnArray<A extends TypedArray>(x: HostArray<A>, turn: Turn): HostArray<A> {
  expectArguments("turnArray", "array", { x });
  expectTurn("turnArray", turn);
  if (x.shape.length !== 4) throw new ShapeError(`turnArray: expected [C, x, y, z], got [${x.shape}]`);
  if (isNone(turn)) return x;
  const strides = stridesOf(x.shape);
  const size = turn.axes.map((a) => x.shape[a + 1]);
  const steps = turn.axes.map((a, i) => (turn.flips[i] ? -strides[a + 1] : strides[a + 1]));
  const start = turn.axes.reduce((sum, a, i) => sum + (turn.flips[i] ? strides[a + 1] * (size[i] - 1) : 0), 0);
  return copyView(x.data, [x.shape[0], ...size], [strides[0], ...steps], start);
}

/** A volume `[C, x, y, z]`, turned: each voxel keeps its place in space. The volume itself if nothing is to be done. */
export function turnVolume<A extends TypedArray>(volume: Volume<A>, turn: Turn): Volume<A> {
  expectArguments("turnVolume", "volume", { volume });
  expectTurn("turnVolume", turn);
  if (isNone(turn)) return volume;
  const { affine, shape } = volume;
  const moved = affine.slice(0, 3).map((row) => {
    const columns = turn.axes.map((a, i) => (turn.flips[i] ? 0 - row[a] : row[a]));
    const origin = turn.axes.reduce((sum, a, i) => sum + (turn.flips[i] ? row[a] * (shape[a + 1] - 1) : 0), row[3]);
    return [...columns, origin];
  });
  const { spacing } = volume.meta;
  const meta = spacing ? { ...volume.meta, spacing: turn.axes.map((a) => spacing[a]) } : volume.meta;
  return makeVolume(turnArray(volume, turn), [...moved, [0, 0, 0, 1]], meta);
}

/**
 * A volume `[C, x, y, z]` with its axes pointing as the codes say, such as "RAS"; MONAI's `Orientation`. Throws `ConfigError` for codes that name no three
 * axes. `wanted` are the codes.
 */
export function toAxisCodes<A extends TypedArray>(volume: Volume<A>, wanted: string): Volume<A> {
  expectKinds("toAxisCodes", { volume: { volume }, text: { wanted } });
  return turnVolume(volume, turnTo(volume.affine, wanted));
}
