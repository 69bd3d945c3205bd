/** @file What an image format is: one file that says how its files look, are read and written, and one row in `formats.ts`. */

import type { Blob } from "../../host/platform.ts";
import type { Affine, SpaceUnit, Volume, VolumeMeta } from "../volume.ts";

/** A file: of a disk, of a browser's picker, of memory. */
export interface ImageFile {
  /** What errors and `meta.source` call it: a path, or a file's name. */
  readonly name: string;
  /** Its bytes, read only where they are sliced or streamed. */
  readonly blob: Blob;
  /**
   * A file in the same folder, such as the `.img` of a `.hdr`; undefined if there is none. Absent for a file that stands alone. `name` is the name alone,
   * without a folder.
   */
  readonly beside?: (name: string) => Promise<ImageFile | undefined>;
}

/** A file of several that an image is written as: most formats have one, headers with detached data two. */
export interface WrittenFile {
  /** Its name, without a folder. */
  readonly name: string;
  /** All of its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What an image is written as, where the format has a choice. */
export interface WriteImageOptions {
  /** Element type in the file, "u8" or "uint8"; default that of the data. */
  readonly dtype?: string;
  /** Compress the voxels, where the format can; default as the name says. Of NIfTI, MGH and Analyze, whose endings tell, it can say nothing else. */
  readonly compress?: boolean;
}

/** Which of several images a source holds, and how it is read. */
export interface ReadImageOptions {
  /** Of DICOM files with several series: its SeriesInstanceUID or the beginning of it, or its description. */
  readonly series?: string;
  /** Of a series whose slices differ in orientation or size: which of its stacks, from 0. */
  readonly stack?: number;
  /** Of a `.npz` archive with several arrays: its name. */
  readonly array?: string;
}

/** Where an image lies, and how large it is. */
export interface ImageGrid {
  /** `[C, nx, ny, nz]` */
  readonly shape: readonly number[];
  /** Voxel indices to RAS, in `units`. */
  readonly affine: Affine;
  /** As of a `Volume`; absent where the format knows none but mm. */
  readonly units?: SpaceUnit;
  /** As of a `Volume`. */
  readonly meta?: Pick<VolumeMeta, "frameOfReference">;
}

/** One image format. */
export interface ImageFormat {
  /** As people write it: "NRRD". */
  readonly title: string;
  /** Endings of its files, with the dot, in lower case, the longest of a name first. */
  readonly endings: readonly string[];
  /** Whether the first bytes of a file (512, unpacked where the whole file is gzip) are this format's. */
  matches(head: Uint8Array, name: string): boolean;
  /** @throws FormatError naming the file and the field */
  read(file: ImageFile, options: ReadImageOptions): Promise<Volume>;
  /** What the header alone says of the grid; absent where that takes the whole file. @throws FormatError, also where the voxels cannot all be there */
  readGrid?(file: ImageFile): Promise<ImageGrid>;
  /**
   * The image that several files hold together, such as the slices of a series; absent where a file is an image.
   * @throws FormatError, ConfigError for several images of which none is chosen
   */
  readAll?(files: readonly ImageFile[], options: ReadImageOptions): Promise<Volume>;
  /** Which options of reading choose among what its files hold; others are refused. */
  readonly chooses?: readonly (keyof ReadImageOptions)[];
  /** Whether the files have no place in space, or none that is written: an affine is lost in them. */
  readonly placeless?: boolean;
  /** Whether its files say how far apart in time channels are. */
  readonly timed?: boolean;
  /** Whether `read` unpacks files that are gzip as a whole itself, and in pieces. Others are handed what was unpacked. */
  readonly readsGzip?: boolean;
  /** The files that hold a volume under a name with one of the endings. @throws DataError for values that the type cannot hold */
  write?(volume: Volume, name: string, options: WriteImageOptions): Promise<WrittenFile[]>;
}
