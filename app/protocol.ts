/**
 * @file What the page and its worker say to each other. The worker owns the GPU, the files' contents and all of voxgrad; the page asks, is told of
 * progress, and shows.
 */

import type { ComparedCase, Comparison } from "./protocol/looking.ts";
import type { Download, PickedFile, Picture3d, Progress } from "./protocol/parts.ts";
import type { DeviceInfo, ModelInfo, NetworkInput, Planned, Result, ScanFacts, ScanInfo, Uneven } from "./protocol/segmenting.ts";
import type {
  DataInfo,
  DataSource,
  MemoryPlan,
  OptionInfo,
  RunCurves,
  RunPlan,
  RunSummary,
  TrainEvent,
} from "./protocol/training.ts";

export type * from "./protocol/looking.ts";
export * from "./protocol/parts.ts";
export type * from "./protocol/segmenting.ts";
export type * from "./protocol/training.ts";

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
  showScan: Call<{ readonly scan: string; readonly asItIs?: boolean }, ScanFacts | Uneven, Progress>;
  /** Another channel of it, or another time step. */
  scanPicture: Call<{ readonly scan: string; readonly channel: number | "color" }, Picture3d>;
  models: Call<{ readonly site: string }, readonly ModelInfo[]>;
  addModel: Call<{ readonly files: readonly PickedFile[] }, ModelInfo>;
  segment: Call<
    { readonly scan: string; readonly model: string; readonly input?: NetworkInput | undefined },
    Result,
    Progress | Planned
  >;
  labelFile: Call<{ readonly result: string }, Download>;
  objectFile: Call<{ readonly result: string; readonly kind: "seg" | "rtstruct" }, Download>;
  surfaceFile: Call<{ readonly result: string; readonly structure: number }, Download>;
  volumesFile: Call<{ readonly result: string }, Download>;
  openData: Call<{ readonly source: DataSource }, DataInfo, Progress>;
  /** What a recipe can be told, before there are data to choose it from. */
  recipeOptions: Call<{ readonly recipe: string }, readonly OptionInfo[]>;
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
  comparedCase: Call<
    { readonly key: string; readonly id: string; readonly channel?: number | "color" | undefined },
    ComparedCase
  >;
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
