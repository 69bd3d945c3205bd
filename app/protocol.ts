/**
 * @file What the page and its worker say to each other. The worker owns the GPU, the files' contents and all of voxgrad; the page asks, is told of
 * progress, and shows.
 */

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
  | "reading"
  | "opening"
  | "segmenting"
  | "measuring"
  | "checking"
  | "compiling"
  | "training"
  | "validating"
  | "reporting"
  | "packing";

/** What will be done, before it is. */
export interface Planned {
  readonly kind: "plan";
  readonly windows: number;
  /** Bytes on the device at most. */
  readonly bytes: number;
}

export interface DeviceInfo {
  readonly name: string;
  readonly software: boolean;
}

/** An image among the files that were picked. */
export interface ScanInfo {
  readonly key: string;
  readonly name: string;
  /** Its format, or the modality of a series. */
  readonly format: string;
  readonly files: number;
  /** Why it cannot be read as it is. */
  readonly problems: readonly string[];
}

/** A volume as the viewer takes it: at most some hundred voxels along each axis, 8 or 16 bits. */
export interface Picture3d {
  /** An uncompressed NIfTI file; a Blob, so that passing it on costs no thread anything. */
  readonly nifti: Blob;
  /** Black and white, as stored. */
  readonly window: readonly [number, number];
  /** The image's own value is stored · scale + offset. */
  readonly scale: number;
  readonly offset: number;
}

export interface ScanFacts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly spacing: readonly number[];
  readonly notes: readonly string[];
  readonly picture: Picture3d;
}

export type Rgb = readonly [number, number, number];

/** A structure of a label map, or of those that a model knows. */
export interface Structure {
  readonly name: string;
  /** Voxel values; several of a region. */
  readonly values: readonly number[];
  readonly colors: readonly Rgb[];
}

export interface ModelInfo {
  readonly key: string;
  readonly name: string;
  readonly from: "site" | "disk" | "trained";
  /** Of the library's table of kinds. */
  readonly kind: string;
  readonly description?: string | undefined;
}

/** What models say nothing of that are a mere network. */
export interface NetworkInput {
  readonly normalization: "none" | "zscore" | "minmax" | "brainchop" | "brainchop-quantile";
  readonly axes: "xyz" | "zyx";
}

export interface Measured extends Structure {
  readonly voxels: number;
  readonly milliliters: number;
}

/** A scan that was segmented. */
export interface Result {
  readonly key: string;
  readonly scan: string;
  readonly model: string;
  readonly seconds: number;
  readonly structures: readonly Measured[];
  readonly overlay: Blob;
}

export interface Download {
  readonly name: string;
  readonly blob: Blob;
}

/** Where the data of a run come from. */
export type DataSource =
  | { readonly kind: "synthetic"; readonly cases: number; readonly seed: number }
  | {
      readonly kind: "files";
      readonly files: readonly PickedFile[];
      readonly name: string;
      readonly folder?: FileSystemDirectoryHandle;
    };

export interface DataInfo {
  readonly name: string;
  readonly training: number;
  readonly test: number;
  readonly channels: readonly string[];
  readonly structures: readonly string[];
  readonly folds: number;
  readonly notes: readonly string[];
  readonly recipes: readonly RecipeInfo[];
}

export interface RecipeInfo {
  readonly name: string;
  readonly summary: string;
}

/** An option of a recipe, as a form shows it. */
export interface OptionInfo {
  readonly name: string;
  readonly help: string;
  readonly expects: string;
  readonly value: unknown;
  readonly choices?: readonly unknown[] | undefined;
}

export interface RunPlan {
  readonly options: readonly OptionInfo[];
  readonly train: number;
  readonly val: number;
}

export interface MemoryPlan {
  readonly bytes: number;
  readonly dispatches: number;
  readonly parameters: number;
  readonly stepsPerEpoch: number;
}

/** A tile to paint: RGBA, row by row. */
export interface Tile {
  readonly id: string;
  readonly epoch: number;
  readonly dice: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

export type TrainEvent =
  | Progress
  | { readonly kind: "log"; readonly text: string }
  | { readonly kind: "lost" }
  | {
      readonly kind: "steps";
      /** Those since the last that was told. */
      readonly steps: readonly (readonly [step: number, loss: number])[];
      readonly total: number;
      readonly lr: number;
      /** Samples per second. */
      readonly rate: number;
      readonly eta: number;
    }
  | {
      readonly kind: "epoch";
      readonly steps: readonly (readonly [step: number, loss: number])[];
      readonly epoch: EpochInfo;
      readonly epochs: number;
    }
  | { readonly kind: "tile"; readonly tile: Tile };

export interface EpochInfo {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly dice?: readonly (number | null)[] | undefined;
  readonly seconds: number;
}

/** A run that the browser keeps. */
export interface RunSummary {
  readonly name: string;
  readonly recipe: string;
  readonly data: string;
  readonly structures: readonly string[];
  readonly epochs: number;
  readonly epochsDone: number;
  readonly finished: boolean;
  /** Mean of the best validation. */
  readonly dice?: number | undefined;
  readonly hasWeights: boolean;
  readonly hasReport: boolean;
  /** Whether its data can be had without asking the user. */
  readonly dataReady: boolean;
}

export interface RunCurves {
  readonly steps: readonly (readonly [step: number, loss: number])[];
  readonly epochs: readonly EpochInfo[];
  readonly structures: readonly string[];
}

/** A case with truth and prediction. */
export interface ScoredCaseInfo {
  readonly id: string;
  /** Of each structure; null where the truth has none of it. */
  readonly dice: readonly (number | null)[];
  readonly mean: number | null;
}

export interface Comparison {
  readonly key: string;
  readonly name: string;
  readonly structures: readonly Structure[];
  /** Worst first. */
  readonly cases: readonly ScoredCaseInfo[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

export interface ComparedCase {
  readonly picture: Picture3d | null;
  readonly truth: Blob;
  readonly prediction: Blob;
}

interface Call<Args, Value, Event = never> {
  readonly args: Args;
  readonly value: Value;
  readonly event: Event;
}

/** Everything that the page asks for. */
export interface Calls {
  device: Call<null, DeviceInfo>;
  addScans: Call<{ readonly files: readonly PickedFile[] }, readonly ScanInfo[], Progress>;
  addSample: Call<null, ScanInfo>;
  showScan: Call<{ readonly scan: string }, ScanFacts, Progress>;
  models: Call<{ readonly site: string }, readonly ModelInfo[]>;
  addModel: Call<{ readonly files: readonly PickedFile[] }, ModelInfo>;
  segment: Call<
    { readonly scan: string; readonly model: string; readonly input?: NetworkInput | undefined },
    Result,
    Progress | Planned
  >;
  labelFile: Call<{ readonly result: string }, Download>;
  surfaceFile: Call<{ readonly result: string; readonly structure: number }, Download>;
  volumesFile: Call<{ readonly result: string }, Download>;
  openData: Call<{ readonly source: DataSource }, DataInfo, Progress>;
  configureRun: Call<
    { readonly recipe: string; readonly fold: number | "all"; readonly given: Readonly<Record<string, unknown>> },
    RunPlan,
    Progress
  >;
  planRun: Call<null, MemoryPlan, Progress>;
  startRun: Call<{ readonly name: string }, { readonly finished: boolean; readonly name: string }, TrainEvent>;
  resumeRun: Call<
    { readonly name: string; readonly source?: DataSource },
    { readonly finished: boolean; readonly name: string },
    TrainEvent
  >;
  runs: Call<null, readonly RunSummary[]>;
  curves: Call<{ readonly name: string }, RunCurves>;
  deleteRun: Call<{ readonly name: string }, null>;
  runFile: Call<{ readonly name: string }, Download, Progress>;
  reportRun: Call<{ readonly name: string; readonly source?: DataSource }, Comparison, Progress>;
  reportFile: Call<{ readonly name: string }, Download>;
  compareFolders: Call<
    { readonly truth: readonly PickedFile[]; readonly prediction: readonly PickedFile[]; readonly images: readonly PickedFile[] },
    Comparison,
    Progress
  >;
  comparedCase: Call<{ readonly key: string; readonly id: string }, ComparedCase>;
}

export type CallName = keyof Calls;

/** From the page: a call, or that a call is no longer wanted. */
export type ToWorker =
  | { [K in CallName]: { readonly call: K; readonly id: number; readonly args: Calls[K]["args"] } }[CallName]
  | { readonly call: "abort"; readonly id: number };

/** An error as the page shows it. */
export interface Failure {
  /** Class of the error without "Error": what programs tell causes apart by. */
  readonly code: string;
  readonly message: string;
}

/** From the worker, about a call. */
export type FromWorker =
  | { readonly id: number; readonly kind: "event"; readonly event: unknown }
  | { readonly id: number; readonly kind: "value"; readonly value: unknown }
  | { readonly id: number; readonly kind: "failure"; readonly failure: Failure };
