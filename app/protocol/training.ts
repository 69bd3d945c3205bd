/** @file What is said of data, plans and runs. */

import type { PickedFile, Progress } from "./parts.ts";

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
  /** The data as the recipe takes them: of some folders it has a part. */
  readonly data: DataInfo;
  readonly options: readonly OptionInfo[];
  readonly train: number;
  readonly val: number;
  /** What the recipe found worth telling, in the library's words. */
  readonly notes: readonly string[];
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
