/** @file Label maps that are compared: what is wrong with pairs of them, all of it told before any is scored, and what is odd about their values. */

import { gridDifference, wholeLabels } from "../../data/folders/join_case.ts";
import { isImageName } from "../../data/formats/formats.ts";
import { readImageFile, readImageGrid } from "../../data/formats/images.node.ts";
import type { LabelClass } from "../../data/labels.ts";
import { spacingOf, type Volume } from "../../data/volume.ts";
import { DataError, ShapeError, VoxgradError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";

/** What is wrong with pairs of label maps: all of it in one error. Pairs behind the first that is wrong are read and not scored, which takes the time. */
export class PairProblems {
  private readonly errors: VoxgradError[] = [];

  /** What `read` reads, and checks; undefined if that is wrong, or a pair before was. */
  async of<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      const pair = await read();
      return this.errors.length === 0 ? pair : undefined;
    } catch (error) {
      if (!(error instanceof VoxgradError)) throw error;
      this.errors.push(error);
      return undefined;
    }
  }

  /** Throws what was wrong: as it was, or, of several pairs, a `DataError` that lists it. */
  throwIfAny(): void {
    const { errors } = this;
    if (errors.length === 1) throw errors[0];
    if (errors.length === 0) return;
    const lines = errors.slice(0, mostProblems).map((p) => `\n  ${p.message}`);
    const more = errors.length > mostProblems ? `\n  and ${errors.length - mostProblems} more` : "";
    throw new DataError(`${errors.length} predictions do not go with their references:${lines.join("")}${more}`);
  }
}

// As many as `train` lists.
const mostProblems = 20;

/** A label map. Throws `DataError` for a file whose values are no labels: an image, or probabilities, whose scores would be 0 and say nothing. */
export async function readLabels(path: string): Promise<Volume> {
  const labels = wholeLabels(await readImageFile(path));
  const other = labels.data.find((v: number) => !Number.isInteger(v));
  if (other !== undefined)
    throw new DataError(
      `evaluate: ${path}: voxel value ${other} is no label; expected a map of whole numbers, no image or probabilities`,
    );
  return labels;
}

/** Throws `ShapeError` or `DataError` if the maps do not lie on one grid. */
export function expectOneGrid(path: string, prediction: Grid, truth: Grid): void {
  if (prediction.shape.join() !== truth.shape.join())
    throw new ShapeError(`evaluate: ${path} has the shape ${showShape(prediction.shape)}, its label ${showShape(truth.shape)}`);
  const apart = gridDifference({ name: "prediction", ...prediction }, { name: "label", ...truth });
  if (apart) throw new DataError(`evaluate: ${path}: ${apart}`);
}

type Grid = Pick<Volume, "shape" | "affine" | "spacing" | "units">;

async function gridAt(path: string): Promise<Grid> {
  const grid = await readImageGrid(path);
  return { ...grid, spacing: spacingOf(grid.affine) };
}

/**
 * Throws what the headers say is wrong with pairs of files, which is known long before the scores of those in front are. References that are no image file,
 * such as a folder of pictures, are looked at when they are read.
 */
export async function expectOneGrids(pairs: Iterable<{ readonly prediction: string; readonly truth: string }>): Promise<void> {
  const problems = new PairProblems();
  for (const { prediction, truth } of pairs) {
    if (!isImageName(truth)) continue;
    await problems.of(async () => expectOneGrid(prediction, await gridAt(prediction), await gridAt(truth)));
  }
  problems.throwIfAny();
}

// Cases that a warning names.
const listed = 5;

/** Label values of the pairs that were scored, for what is odd about them. */
export class ValueNotes {
  private readonly inPredictions = new Map<number, string[]>();
  private readonly inReferences = new Set<number>();

  add(id: string, prediction: Volume | undefined, truth: Volume): void {
    for (const value of new Set<number>(truth.data as Iterable<number>)) this.inReferences.add(value);
    if (!prediction) return;
    for (const value of new Set<number>(prediction.data as Iterable<number>))
      this.inPredictions.set(value, [...(this.inPredictions.get(value) ?? []), id]);
  }

  /**
   * A warning for each value of predictions that no class has and no reference, which no score counts, and for each class that no map has.
   * @param known values that are no class and yet expected
   */
  warnings(classes: readonly LabelClass[], known: Iterable<number> = []): string[] {
    const expected = new Set([0, ...known, ...classes.flatMap((c) => c.values), ...this.inReferences]);
    const strange = [...this.inPredictions].filter(([value]) => !expected.has(value));
    const has = (value: number) => this.inReferences.has(value) || this.inPredictions.has(value);
    const absent = classes.filter((c) => !c.values.some(has));
    return [
      ...strange.map(([value, ids]) => {
        const more = ids.length > listed ? ` and ${ids.length - listed} more` : "";
        return `warning: predictions have the label value ${value}, which is none of the reference and counts for no class: ${ids.slice(0, listed).join(", ")}${more}`;
      }),
      ...absent.map(({ name, values }) => {
        const named = name === String(values[0]) ? name : `${name} (${values.join(", ")})`;
        return `warning: no reference and no prediction has the class ${named}: its scores are what --empty gives, not found`;
      }),
    ];
  }
}
