/** @file Weights that a run begins with, taken from a file as far as they fit. */

import type { HostArray } from "../../host/array.ts";
import { CheckpointError } from "../../host/errors.ts";
import { describeLoad } from "../../nn/load_state.ts";
import type { Networks } from "../recipes/recipe.ts";

/** Weights and where they are from. */
export interface InitialWeights {
  /** What messages call them. */
  readonly source: string;
  /** By name, each of the shape that the network has. */
  readonly tensors: ReadonlyMap<string, HostArray>;
}

/** Loads what fits and says what did not. Throws `CheckpointError` if nothing in it fits. */
export function initialize(networks: Networks, { source, tensors }: InitialWeights): string {
  const reports = Object.values(networks).map((model) => model.loadStateDict(tensors, { strict: false, skipMisshaped: true }));
  if (reports.every((r) => r.loaded.length > 0)) return reports.map((r) => `${source}: ${describeLoad(r)}`).join("\n");
  throw new CheckpointError(`${source}: none of its tensors fits this network: ${describeLoad(reports[0])}`);
}
