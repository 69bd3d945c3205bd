/** @file What a folder of images and labels holds, whatever its layout. */

import type { ImageGrid, ReadImageOptions } from "../formats/format.ts";
import type { LabelClass } from "../labels.ts";
import type { Nodule } from "../nodules/annotations.ts";

/** How the files of a case are read, where they are not images as they stand: the layout that does it, and what it has to know. Plain data. */
export interface CaseLayout {
  /** Name of the layout. */
  readonly name: string;
  readonly [fact: string]: unknown;
}

/** Which DICOM series of a folder, and which of its stacks, as `readImageFile` takes them. */
export type SeriesChoice = Pick<ReadImageOptions, "series" | "stack">;

/** Which structures of a DICOM segmentation or RT structure set become which values. Plain data. */
export interface DrawnLabels {
  /** In the order of the classes: names that a structure may have, of which the first that is there is taken, and its value. */
  readonly structures: readonly { readonly names: readonly string[]; readonly value: number }[];
  /** A structure that is not there: an error (default), or no voxels of its value. */
  readonly missing?: "error" | "empty";
  /** Voxels of two structures: an error (default), or of the later class. */
  readonly overlap?: "error" | "last";
}

/** One patient or scan. Paths are relative to the dataset's folder, or absolute once loadDataset has returned them. */
export interface Case {
  /** Its name, one of a kind in the dataset. */
  readonly id: string;
  /** One file (or folder of slices) per input channel; one file with several channels is a list of one. */
  readonly image: readonly string[];
  /** File of the label map; absent in a test set. */
  readonly label?: string;
  /** For each image, of a folder that holds several DICOM series which of them it is; nothing of a file. */
  readonly choices?: readonly SeriesChoice[];
  /** Labels that were drawn on the images, in the DICOM object that `label` is, or that lies in the folder that it is. Default: `label` is a label map. */
  readonly drawn?: DrawnLabels;
  /** Who was scanned, where the dataset says so: a split keeps all cases of a patient on one side. Else it is taken from the name (`patientOf`). */
  readonly patient?: string;
  /** The grid of the image where the dataset's index has it, so that no voxel need be read to know it. */
  readonly grid?: ImageGrid;
  /** What is to be found in it, where the dataset lists that beside the images. */
  readonly nodules?: readonly Nodule[];
  /** Default: image files. */
  readonly layout?: CaseLayout;
}

/** One fold of cross-validation: case ids. */
export interface Split {
  /** Cases to train on. */
  readonly train: readonly string[];
  /** Cases to validate on. */
  readonly val: readonly string[];
}

/** A dataset: its cases, channels and classes. */
export interface DatasetIndex {
  /** What the dataset calls itself. */
  readonly name: string;
  /** Channel names in order, e.g. ["MRI"]. */
  readonly modality: readonly string[];
  /** Classes as listed, background included. */
  readonly labels: readonly LabelClass[];
  /** Ending of its image files, with the dot: ".nii.gz". */
  readonly fileEnding: string;
  /** All labeled cases, those of a list of validation cases included. */
  readonly training: readonly Case[];
  /** Cases without labels. */
  readonly test: readonly Case[];
  /** nnU-Net's class that reads the images, where `overwrite_image_reader_writer` names one. */
  readonly reader?: string;
  /** Folds that dataset.json itself describes, as MONAI's lists do. */
  readonly splits?: readonly Split[];
  /** What a user should know and is no error: stale counts, files that were not downloaded, entries without effect. A sentence each. */
  readonly notes?: readonly string[];
}

/** What the parser asks of the dataset's folder; paths are relative, with "/". */
export interface Folder {
  /** Where the folder is, for lists of absolute paths inside of it. */
  readonly root?: string;
  /** Whether there is a file or folder at `path`. */
  has(path: string): boolean;
  /** Names in a sub-folder; empty if there is none. */
  list(folder: string): readonly string[];
}
