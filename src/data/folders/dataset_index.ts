/** @file What a folder of images and labels holds, whatever its layout. */

import type { LabelClass } from "../labels.ts";

/** One patient or scan. Paths are relative to the dataset's folder, or absolute once loadDataset has returned them. */
export interface Case {
  readonly id: string;
  /** One file per input channel; one file with several channels is a list of one. */
  readonly image: readonly string[];
  readonly label?: string;
}

/** A dataset: its cases, channels and classes. */
export interface DatasetIndex {
  readonly name: string;
  /** Channel names in order, e.g. ["MRI"]. */
  readonly modality: readonly string[];
  /** Classes as listed, background included. */
  readonly labels: readonly LabelClass[];
  readonly fileEnding: string;
  readonly training: readonly Case[];
  readonly test: readonly Case[];
}

/** What the parser asks of the dataset's folder; paths are relative, with "/". */
export interface Folder {
  has(path: string): boolean;
  /** Names in a sub-folder; empty if there is none. */
  list(folder: string): readonly string[];
}
