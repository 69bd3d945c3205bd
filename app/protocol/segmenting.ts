/** @file What is said of scans, models and results. */

import type { Picture3d, Structure } from "./parts.ts";

export interface DeviceInfo {
  readonly name: string;
  readonly software: boolean;
}

/** An image among the files that were picked. */
export interface ScanInfo {
  readonly key: string;
  readonly name: string;
  /** Whether it was made here, as a sample. */
  readonly made?: true;
  /** Its format, or the modality of a series. */
  readonly format: string;
  readonly files: number;
  /** Why it cannot be read as it is. */
  readonly problems: readonly string[];
}

export interface ScanFacts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly spacing: readonly number[];
  readonly notes: readonly string[];
  readonly picture: Picture3d;
}

/** A series whose slices have no common distance: as a volume it is not what it was. It is read only if the user says so. */
export interface Uneven {
  /** What is wrong, in the library's words. */
  readonly uneven: string;
}

export interface ModelInfo {
  readonly key: string;
  readonly name: string;
  readonly from: "site" | "disk" | "trained";
  /** Of the library's table of kinds. */
  readonly kind: string;
  /** By language; English is there if any is. */
  readonly description?: Readonly<Record<string, string>> | undefined;
}

/** What models say nothing of that are a mere network. */
export interface NetworkInput {
  readonly normalization: "none" | "zscore" | "minmax" | "brainchop" | "brainchop-quantile";
  readonly axes: "xyz" | "zyx";
}

/** What will be done, before it is. */
export interface Planned {
  readonly kind: "plan";
  readonly windows: number;
  /** Bytes on the device at most. */
  readonly bytes: number;
}

export interface Measured extends Structure {
  readonly voxels: number;
  /** Null where the file has no lengths, as a picture. */
  readonly milliliters: number | null;
}

/** A scan that was segmented. */
export interface Result {
  readonly key: string;
  readonly scan: string;
  readonly model: string;
  readonly seconds: number;
  readonly structures: readonly Measured[];
  readonly overlay: Blob;
  /** What is odd about the scan for the model, in English. */
  readonly notes: readonly string[];
  /** Whether it can be saved as a DICOM object, which belongs to a DICOM series. */
  readonly dicom: boolean;
}
