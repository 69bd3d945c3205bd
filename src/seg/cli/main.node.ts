#!/usr/bin/env node
/** @file The command `voxgrad`. */

import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, VoxgradError } from "../../host/errors.ts";
import { commands, trainHelp } from "./commands.node.ts";

const usage = `voxgrad: train and run segmentation networks on WebGPU

  voxgrad train --data DIR [--out DIR] [--fold N] [--epochs N] …   train a 2-D UNet on slices of volumes
  voxgrad train --resume DIR                                       go on with an interrupted run
  voxgrad predict --run DIR (--data DIR [--fold N] | FILE…) [--out DIR]   write label maps as NIfTI
  voxgrad evaluate (--run DIR | --pred DIR --data DIR)             Dice of each case and class
  voxgrad demo [--seed N] [--epochs N] [--out DIR] [--data DIR]    all of it on synthetic volumes, or on yours
  voxgrad tune [--out FILE]                                        measure kernel variants on this adapter once, for later runs
  voxgrad info [FILE]                                              adapter, limits and features, or what a volume is
  voxgrad inspect FILE                                             tensors and metadata of a file of weights
  voxgrad convert IN OUT.safetensors [--key NAME] [--dtype TYPE]   weights from PyTorch, ONNX or TensorFlow.js as safetensors

Options of train and demo: \`voxgrad train --help\`.
`;

/** Runs a command line; sets the exit code. Errors that a user can mend are printed without, faults of voxgrad with their stack. */
export async function main(args: readonly string[]): Promise<void> {
  const [name = "", ...rest] = args;
  try {
    if (name === "" || name === "help" || args.includes("--help")) {
      process.stdout.write(["train", "demo"].includes(name) ? trainHelp() : usage);
      process.exitCode = name === "" ? 2 : 0;
      return;
    }
    const command = commands[name];
    if (!command) throw new ConfigError(`unknown command "${name}"; known are ${Object.keys(commands).join(", ")}`);
    process.exitCode = await command(rest);
  } catch (error) {
    process.exitCode = 1;
    const mendable = error instanceof VoxgradError || (error as NodeJS.ErrnoException).syscall !== undefined;
    if (mendable) process.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
    else process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
  }
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] && realpathSync(resolve(process.argv[1])) === realpathSync(self)) {
  // `voxgrad inspect FILE | head` stops reading: nobody is left to tell more to.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  await main(process.argv.slice(2));
}
