/** @file `voxgrad nnunet`: what nnU-Net does beside training and predicting. A subcommand is a file in `nnunet/` and a row here. */

import { ConfigError } from "../../../host/errors.ts";
import type { Command } from "../command_line.node.ts";
import { exportCommand } from "./nnunet/export.node.ts";
import { findBestCommand } from "./nnunet/find_best.node.ts";
import { planCommand } from "./nnunet/plan.node.ts";
import { preprocessCommand } from "./nnunet/preprocess.node.ts";

const subcommands: readonly Command[] = [planCommand, preprocessCommand, findBestCommand, exportCommand];

const named = (name: string | undefined): Command => {
  const found = subcommands.find((c) => c.name === name);
  if (found) return found;
  throw new ConfigError(
    `voxgrad nnunet ${name === undefined ? "needs a subcommand" : `has no subcommand "${name}"`}; known are ${subcommands.map((c) => c.name).join(", ")}`,
  );
};

const listing = (): string =>
  subcommands
    .flatMap(({ name, usage }) => usage.map(([args, does]) => `  voxgrad nnunet ${name} ${args}\n      ${does}\n`))
    .join("");

/** Runs one of the subcommands. */
export const nnunetCommand: Command = {
  name: "nnunet",
  usage: subcommands.flatMap(({ name, usage }) => usage.map(([args, does]) => [`${name} ${args}`, does] as const)),
  async help(args) {
    const name = args.find((a) => !a.startsWith("-"));
    return name === undefined ? listing() : ((await named(name).help?.(args)) ?? listing());
  },
  run: ([name, ...args]) => named(name).run(args),
};
