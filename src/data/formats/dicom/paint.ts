/** @file Numbered structures set voxel by voxel: as a label map, or as a mask of each. */

import { sizeOf } from "../../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { expectWord } from "../../../host/words.ts";
import type { LabelClass } from "../../labels.ts";
import type { Segment } from "./segments.ts";

/** What becomes of voxels of two structures. */
export type Overlap = "error" | "onehot" | "last";

/** Takes voxels of structures. */
export interface Painter {
  /** @throws DataError for a voxel of two structures, where that is an error */
  set(voxel: number, structure: number): void;
  readonly result: { readonly data: Uint8Array | Uint16Array; readonly shape: readonly number[] };
}

/**
 * A painter of structures on `[nx, ny, nz]` voxels; 0 is no structure.
 * @param who names the function and the file in errors
 * @throws ShapeError for masks that fit no array, DataError for more structures than a label map has values
 */
export function painterOf(overlap: Overlap, structures: readonly Segment[], size: readonly number[], who: string): Painter {
  const most = 65535;
  if (overlap !== "onehot" && structures.some((s) => s.number > most))
    throw new DataError(`${who}: ${structures.length} structures; a label map has ${most} values at most: name those to take`);
  return overlap === "onehot" ? new Masks(structures, size, who) : new LabelMap(structures, size, overlap === "last", who);
}

/** @throws ConfigError */
export const expectOverlap = (op: string, overlap: unknown): void =>
  expectWord(op, "overlap", overlap, ["error", "onehot", "last"]);

/** @throws ConfigError */
export const expectMissing = (op: string, missing: unknown): void => expectWord(op, "missing", missing, ["error", "empty"]);

/** The background and the structures, those of one label told apart by their numbers. */
export function structureClasses(structures: readonly Segment[]): LabelClass[] {
  const byLabel = Map.groupBy(structures, (s) => s.label);
  const named = structures
    .filter((s) => s.number !== 0)
    .map(({ number, label }) => ({ name: byLabel.get(label)!.length === 1 ? label : `${label} (${number})`, values: [number] }));
  return [{ name: "background", values: [0] }, ...named];
}

/** Which structure is wanted: its name, or names that it may have, of which the first that is there counts. */
export type StructureNames = string | readonly string[];

/** @throws ConfigError for what are no lists of names, for none, and for one that is there twice */
export function expectStructures(op: string, structures: readonly StructureNames[] | undefined): void {
  const fits = (names: unknown): boolean =>
    typeof names === "string" || (Array.isArray(names) && names.every((n) => typeof n === "string"));
  const wrong = structures?.findIndex((names) => !fits(names) || names.length === 0) ?? -1;
  if (wrong >= 0) throw new ConfigError(`${op}: options.structures[${wrong}] must be a name or a list of names`);
  if (structures?.length === 0) throw new ConfigError(`${op}: structures names none; leave it out to take all`);
  const all = structures?.flat() ?? [];
  const twice = all.find((name, i) => all.indexOf(name) < i);
  if (twice !== undefined) throw new ConfigError(`${op}: structures names ${JSON.stringify(twice)} twice`);
}

/** What a structure is called where none of its names is there. */
export const firstName = (names: StructureNames): string => (typeof names === "string" ? names : names[0]);

/** The only structure of the first of some names that is there; undefined if none is. @throws DataError for two of a name */
export function structureOf<T extends { readonly label: string }>(
  names: StructureNames,
  all: readonly T[],
  who: string,
): T | undefined {
  for (const name of typeof names === "string" ? [names] : names) {
    const found = all.filter((s) => s.label === name);
    if (found.length === 1) return found[0];
    if (found.length > 1) throw new DataError(`${who}: ${found.length} structures have the name ${JSON.stringify(name)}`);
  }
  return undefined;
}

/** The error of a structure that is not there, with those that are. */
export function noStructure(names: StructureNames, all: readonly { readonly label: string }[], who: string): DataError {
  const wanted = (typeof names === "string" ? [names] : names).map((name) => JSON.stringify(name)).join(" or ");
  return new DataError(`${who}: there is no structure ${wanted}; there are ${all.map((s) => s.label).join(", ")}`);
}

/** What is odd about a structure that is not there. */
export const missingNote = (names: StructureNames): string =>
  `there is no structure ${JSON.stringify(firstName(names))}: no voxel has its value`;

class LabelMap implements Painter {
  readonly result: Painter["result"];
  private readonly structures: readonly Segment[];
  private readonly last: boolean;
  private readonly who: string;

  constructor(structures: readonly Segment[], size: readonly number[], last: boolean, who: string) {
    const wide = structures.some((s) => s.number > 255);
    this.result = { data: new (wide ? Uint16Array : Uint8Array)(sizeOf(size)), shape: [1, ...size] };
    this.structures = structures;
    this.last = last;
    this.who = who;
  }

  set(voxel: number, structure: number): void {
    const { data } = this.result;
    const before = data[voxel];
    if (before === 0) data[voxel] = structure;
    else if (before === structure) return;
    else if (this.last) data[voxel] = this.places(before) < this.places(structure) ? structure : before;
    else throw this.overlapping(before, structure);
  }

  private places(number: number): number {
    return this.structures.findIndex((s) => s.number === number);
  }

  private overlapping(a: number, b: number): DataError {
    const name = (n: number) => `${n} (${this.structures.find((s) => s.number === n)?.label})`;
    return new DataError(
      `${this.who}: structures ${name(a)} and ${name(b)} overlap; take "onehot", a mask of each, or "last", the later in the list, as overlap`,
    );
  }
}

class Masks implements Painter {
  readonly result: Painter["result"];
  private readonly channels: ReadonlyMap<number, number>;

  constructor(structures: readonly Segment[], size: readonly number[], who: string) {
    const numbers = structures.map((s) => s.number).filter((n) => n !== 0);
    this.channels = new Map(numbers.map((n, c) => [n, c * sizeOf(size)]));
    const voxels = numbers.length * sizeOf(size);
    if (voxels >= 2 ** 32) throw new ShapeError(`${who}: ${numbers.length} masks of [${size}] voxels are too many for one array`);
    this.result = { data: new Uint8Array(voxels), shape: [numbers.length, ...size] };
  }

  set(voxel: number, structure: number): void {
    this.result.data[this.channels.get(structure)! + voxel] = 1;
  }
}
