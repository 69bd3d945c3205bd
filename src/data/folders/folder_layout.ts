/**
 * @file The contract of a folder's layout: how a dataset that lies in files is recognized, indexed and read. A layout is a file beside this one and a row
 * in `layouts.node.ts`; training, prediction and evaluation know no other way to files.
 */

import type { LabelClass } from "../labels.ts";
import type { Volume } from "../volume.ts";
import type { Case, DatasetIndex } from "./dataset_index.ts";

/** What is wanted of a dataset, by the name of the layout that knows what it means: `{ chaos: { sequence: "CT" } }`. Plain data. */
export type FolderOptions = Readonly<Record<string, object>>;

/** A way in which a dataset lies in a folder. */
export interface FolderLayout {
  /** One word, for `Case.layout` and `FolderOptions`. */
  readonly name: string;
  /** What such a folder has, for messages. */
  readonly has: string;
  /**
   * The index, with absolute paths; undefined for folders of another layout. Throws `FormatError` naming file and field, `ConfigError` for options that it
   * does not know. `dir` is the folder, `options` are those of this layout.
   */
  open(dir: string, options: object): Promise<DatasetIndex | undefined>;
  /**
   * Image `[C, nx, ny, nz]` and label `[1, nx, ny, nz]` of a case of this layout, on one grid, with their label values checked. Throws `FormatError`,
   * `ShapeError`, `DataError`.
   */
  read(item: Case, labels: readonly LabelClass[]): Promise<{ readonly image: Volume; readonly label?: Volume }>;
  /** The label alone, where that can be had without the image. Shape `[1, nx, ny, nz]`. */
  readLabel?(item: Case, labels: readonly LabelClass[]): Promise<Volume>;
}
