#!/usr/bin/env node
/** @file The command `voxgrad`. */

import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, VoxgradError } from "../../host/errors.ts";
import { nearest } from "../../host/options.ts";
import { version } from "../../host/version.ts";
import type { Command } from "./command_line.node.ts";
import { benchCommand } from "./commands/bench.node.ts";
import { convertImageCommand } from "./commands/convert_image.node.ts";
import { convertLabelsCommand } from "./commands/convert_labels.node.ts";
import { demoCommand } from "./commands/demo.node.ts";
import { evaluateCommand } from "./commands/evaluate.node.ts";
import { exportSlicesCommand } from "./commands/export_slices.node.ts";
import { infoCommand } from "./commands/info.node.ts";
import { nnunetCommand } from "./commands/nnunet.node.ts";
import { postprocessCommand } from "./commands/postprocess.node.ts";
import { predictCommand } from "./commands/predict.node.ts";
import { prepareLunaCommand } from "./commands/prepare_luna.node.ts";
import { recipesCommand } from "./commands/recipes.node.ts";
import { reportCommand } from "./commands/report.node.ts";
import { surfaceCommand } from "./commands/surface.node.ts";
import { trainCommand } from "./commands/train.node.ts";
import { uncertaintyCommand } from "./commands/uncertainty.node.ts";
import { tuneCommand } from "./commands/tune.node.ts";
import { convertCommand, inspectCommand } from "./commands/weights.node.ts";

/** A row each, in the order of the overview. */
const commands: readonly Command[] = [
  trainCommand,
  predictCommand,
  uncertaintyCommand,
  evaluateCommand,
  reportCommand,
  postprocessCommand,
  nnunetCommand,
  surfaceCommand,
  demoCommand,
  recipesCommand,
  tuneCommand,
  benchCommand,
  infoCommand,
  convertImageCommand,
  convertLabelsCommand,
  inspectCommand,
  convertCommand,
  prepareLunaCommand,
  exportSlicesCommand,
];

const usageOf = ({ name, usage }: Command): string =>
  usage.map(([args, does]) => `  ${`voxgrad ${name} ${args}`.padEnd(64)} ${does}\n`).join("");

const overview = (): string =>
  `voxgrad: train and run segmentation networks on WebGPU\n\n${commands.map(usageOf).join("")}\nOptions of a command: \`voxgrad train --help\`.\n`;

/** Runs a command line; sets the exit code. Errors that a user can mend are printed without, faults of voxgrad with their stack. */
export async function main(args: readonly string[]): Promise<void> {
  const [name = "", ...rest] = args;
  try {
    expectNode();
    const command = commands.find((c) => c.name === name);
    if (["version", "--version", "-V"].includes(name)) {
      process.stdout.write(`${version}\n`);
      process.exitCode = 0;
    } else if (["", "help", "--help", "-h"].includes(name)) {
      process.stdout.write(overview());
      process.exitCode = name === "" ? 2 : 0;
    } else if (!command) {
      const names = commands.map((c) => c.name);
      const near = nearest(name, names);
      const meant = near === undefined ? "" : `did you mean ${near}? `;
      throw new ConfigError(`unknown command "${name}"; ${meant}known are ${names.join(", ")}`);
    } else if (rest.includes("--help") || rest.includes("-h")) {
      process.stdout.write((await command.help?.(rest)) ?? usageOf(command));
      process.exitCode = 0;
    } else {
      process.exitCode = await command.run(rest);
    }
  } catch (error) {
    process.exitCode = 1;
    const mendable = error instanceof VoxgradError || (error as NodeJS.ErrnoException).syscall !== undefined;
    if (mendable) process.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
    else process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
  }
}

/** @throws ConfigError for a Node that is too old, before anything fails somewhere else */
function expectNode(): void {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  throw new ConfigError(
    `this is Node ${process.versions.node}, and voxgrad needs 22.18 or later: install a newer one, from nodejs.org or as your system does`,
  );
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] && realpathSync(resolve(process.argv[1])) === realpathSync(self)) {
  let unsaid = false;
  // A reader that leaves (`voxgrad train … | head`) hears no more of it, nor does a disk that is full; the work goes on.
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || unsaid) return;
    unsaid = true;
    process.exitCode ||= 1;
    process.stderr.write(`Error: cannot write what there is to say: ${error.message}\n`);
  });
  await main(process.argv.slice(2));
  // What is said may be all that was asked for.
  if (unsaid) process.exitCode ||= 1;
}
