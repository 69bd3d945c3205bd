/** @file A checkpoint is one safetensors file: weights, optimiser state, random state, and in its metadata where the run stands. */

import { dropoutGenerator } from "../../nn/layers/dropout.ts";
import type { Module } from "../../nn/module.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import type { Optimizer } from "../../nn/optim/optimizer.ts";
import { readSafetensors, writeSafetensors } from "../../weights/safetensors.ts";
import type { Device } from "../../tensor/device.ts";
import { CheckpointError, NonFiniteError } from "../../host/errors.ts";

/** Where a run stands. */
export interface Progress {
  /** Epochs finished. */
  readonly epoch: number;
  /** Steps done in the epoch under way. */
  readonly stepInEpoch: number;
  /** Steps done over all epochs. */
  readonly step: number;
  /** Sum of the losses of the epoch under way. */
  readonly lossSum: number;
  /** Best validation score so far, if there was one. */
  readonly best?: number;
}

const version = "1";
const prefixes = { model: "model.", optimizer: "optimizer.", dropout: "dropout" } as const;

/** Throws `NonFiniteError` if a weight is not finite: such a checkpoint must not replace a good one. */
export async function encodeCheckpoint(
  device: Device,
  model: Module,
  optimizer: Optimizer,
  progress: Progress,
): Promise<Uint8Array> {
  // All copies are ordered before the first await, so they belong to one moment.
  const [weights, state, dropout] = await Promise.all([
    model.stateDict(),
    optimizer.stateDict(),
    dropoutGenerator(device).data(),
  ]);
  for (const [name, { data }] of weights) {
    if (!data.every(Number.isFinite))
      throw new NonFiniteError(`after step ${progress.step}, ${name} is not finite; lower the learning rate or check the data`);
  }
  const tensors: StateDict = new Map([
    ...[...weights].map(([k, v]) => [prefixes.model + k, v] as const),
    ...[...state].map(([k, v]) => [prefixes.optimizer + k, v] as const),
    [prefixes.dropout, { data: dropout, shape: [dropout.length] }],
  ]);
  return writeSafetensors(
    tensors,
    new Map([
      ["voxgrad", version],
      ["progress", JSON.stringify(progress)],
    ]),
  );
}

/** Restores a checkpoint. Throws `FormatError` for a damaged file, `CheckpointError` for one of another model; then nothing is changed. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  source: string,
  device: Device,
  model: Module,
  optimizer: Optimizer,
): Progress {
  const { tensors, metadata } = readSafetensors(bytes, source);
  if (metadata.get("voxgrad") !== version)
    throw new CheckpointError(`${source}: is no checkpoint of a run of this version of voxgrad`);
  const part = (prefix: string) =>
    new Map([...tensors].filter(([k]) => k.startsWith(prefix)).map(([k, v]) => [k.slice(prefix.length), v]));
  const dropout = tensors.get(prefixes.dropout);
  const progress = parseProgress(metadata.get("progress"), source);
  if (dropout?.data.length !== 4) throw new CheckpointError(`${source}: the random state is missing`);
  naming(source, () => {
    optimizer.checkStateDict(part(prefixes.optimizer));
    model.loadStateDict(part(prefixes.model));
    optimizer.loadStateDict(part(prefixes.optimizer));
  });
  device.write(dropoutGenerator(device), dropout);
  return progress;
}

/** Does `load` for a file; a `CheckpointError` then names it. */
export function naming<T>(source: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof CheckpointError) throw new CheckpointError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

function parseProgress(text: string | undefined, source: string): Progress {
  try {
    const p = JSON.parse(text ?? "") as Progress;
    for (const key of ["epoch", "stepInEpoch", "step", "lossSum"] as const) {
      if (!Number.isFinite(p[key])) throw new CheckpointError(`${source}: progress.${key} is ${String(p[key])}`);
    }
    return p;
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(`${source}: the metadata do not say where the run stands`, { cause: error });
  }
}
