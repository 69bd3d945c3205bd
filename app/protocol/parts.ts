/** @file What several views of the page share. */

/** A file that the user picked, with its path in the folder that it came from. */
export interface PickedFile {
  readonly path: string;
  readonly file: Blob;
}

/** How far something is. */
export interface Progress {
  readonly kind: "progress";
  /** A key of the table of texts. */
  readonly what: Phase;
  readonly done: number;
  readonly total: number;
  /** Seconds left, once that can be told. */
  readonly eta?: number | undefined;
}

export type Phase =
  | "waiting"
  | "reading"
  | "opening"
  | "segmenting"
  | "measuring"
  | "checking"
  | "choosing"
  | "compiling"
  | "training"
  | "validating"
  | "reporting"
  | "packing";

export type Rgb = readonly [number, number, number];

/** A structure of a label map, or of those that a model knows. */
export interface Structure {
  readonly name: string;
  /** Voxel values; several of a region. */
  readonly values: readonly number[];
  /** Of each value, for areas and for outlines over them. */
  readonly colors: readonly Rgb[];
  readonly lines: readonly Rgb[];
}

/** A channel of a volume as the viewer takes it: at most some hundred voxels along each axis, whole numbers of 16 bits, floats, or colors. */
export interface Picture3d {
  /** An uncompressed NIfTI file; a Blob, so that passing it on costs no thread anything. */
  readonly nifti: Blob;
  /** Black and white that suit it, as stored; null if all of it is to be black. */
  readonly window: readonly [number, number] | null;
  /** The image's own value is stored · scale + offset. */
  readonly scale: number;
  readonly offset: number;
  /** Which channel or time step it shows, from 0, or the first three as red, green and blue; and of how many. */
  readonly channel: number | "color";
  readonly channels: number;
  /** Whether the channels may be seen as colors. */
  readonly colors: boolean;
  /** Whether values are Hounsfield units. */
  readonly hounsfield: boolean;
  /** Whether the file says where right and left are. */
  readonly placed: boolean;
  /** A picture, whose rows go down from its upper left. */
  readonly flat: boolean;
  /** A label map of values that are no finite numbers, as `notFinite` counts them, if there are any. */
  readonly marks?: Blob | undefined;
  /** Voxels along each axis, here and in the image, where it has more than a viewer takes. */
  readonly reduced?: { readonly to: readonly number[]; readonly from: readonly number[] } | undefined;
}

/** Values that are marked in pictures, by their labels from 1. */
export const notFinite: readonly number[] = [NaN, Infinity, -Infinity];

export interface Download {
  readonly name: string;
  readonly blob: Blob;
}
