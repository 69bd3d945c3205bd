/** @file `voxgrad nnunet plan`: a dataset checked, its fingerprint taken, and nnU-Net's plans for it. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { expectFolder, makeFolder, readIfThere, writeFileAtomic } from "../../../../host/files.node.ts";
import { ConfigError } from "../../../../host/errors.ts";
import { generateCrossvalSplit } from "../../../../data/nnunet/splits.ts";
import type { PlannedConfiguration } from "../../../nnunet/configuration.ts";
import { datasetJson, filesOf, fingerprintCases } from "../../../nnunet/experiment.ts";
import { type NnunetPlans, planExperiment } from "../../../nnunet/plan.ts";
import { type PlannerName, planners } from "../../../nnunet/planners.ts";
import { checkedCases } from "../../../run/data.ts";
import { FolderData } from "../../../run/folder_data.node.ts";
import { ProgressLine } from "../../../training/progress.ts";
import { type Command, flag, helpLines, parse, say, text } from "../../command_line.node.ts";

const usage = "--data DIR --out DIR [--planner NAME] [--memory GB] [--spacing z,y,x] [--overwrite]";

const help = `voxgrad nnunet plan ${usage}

Reads every labeled case and lists what is wrong, takes the fingerprint, and plans as nnU-Net does. Writes into the folder dataset.json,
dataset_fingerprint.json, splits_final.json and the plans, in nnU-Net's formats; train --recipe nnunet --plans FILE trains them. A dataset.json and a
splits_final.json that are there stay, and plans are not replaced by others.

${helpLines([
  ["data DIR", "folder of a dataset: Decathlon or nnU-Net"],
  ["out DIR", "where the files go"],
  ["planner NAME", `one of ${Object.keys(planners).join(", ")}`],
  ["memory GB", "of the device that is planned for; default the planner's: 8, 24 or 40"],
  ["spacing z,y,x", "target of 3d_fullres in mm, in place of what the fingerprint suggests"],
  ["overwrite", "replace files of these names that are there"],
])}`;

/** Checks, plans and writes. */
export const planCommand: Command = {
  name: "plan",
  usage: [[usage, "nnU-Net's fingerprint and plans of a dataset"]],
  help: async () => help,
  async run(args) {
    const { values } = parse(args, { data: text, out: text, planner: text, memory: text, spacing: text, overwrite: flag });
    if (values.data === undefined || values.out === undefined)
      throw new ConfigError("nnunet plan needs --data DIR and --out DIR");
    const { planner, overwrite = false } = values;
    expectFolder(values.out);
    if (planner !== undefined && !Object.hasOwn(planners, planner))
      throw new ConfigError(`--planner is "${planner}"; known are ${Object.keys(planners).join(", ")}`);
    const spacing = values.spacing?.split(",").map((n) => numberIn("spacing", n));
    if (spacing && spacing.length !== 3) throw new ConfigError(`--spacing must be three numbers z,y,x, got "${values.spacing}"`);
    const memory = values.memory === undefined ? undefined : numberIn("memory", values.memory);
    const data = await (await FolderData.open(values.data)).fold("all");
    const { index } = data;
    if (index.training.length === 0) throw new ConfigError(`${values.data} has no labeled cases`);
    const line = new ProgressLine(process.stderr);
    const progress = (label: string) => (done: number, total: number) => line.update({ label, done, total });
    try {
      const read = await checkedCases(data, progress("checking cases"));
      const fingerprint = await fingerprintCases(index.training, read, progress("fingerprint"));
      const dataset = datasetJson(index.labels, index.modality, filesOf(index));
      const plans = planExperiment(fingerprint, dataset, {
        datasetName: index.name,
        ...(planner !== undefined && { planner: planner as PlannerName }),
        ...(memory !== undefined && { gpuMemoryTargetInGb: memory }),
        ...(spacing && { overwriteTargetSpacing: spacing }),
      });
      line.finish();
      const file = `${plans.plans_name}.json`;
      await writeAll(
        resolve(values.out),
        { [file]: plans, "dataset_fingerprint.json": fingerprint },
        {
          "dataset.json": dataset,
          ...(index.training.length >= 5 && {
            "splits_final.json": generateCrossvalSplit(index.training.map((c) => c.id).toSorted()),
          }),
        },
        overwrite,
      );
      tell(plans, join(values.out, file));
    } finally {
      line.finish();
    }
    return 0;
  },
};

function numberIn(name: string, value: string): number {
  if (value.trim() !== "" && Number(value) > 0) return Number(value);
  throw new ConfigError(`--${name} must be positive numbers, got "${value}"`);
}

/**
 * Writes files of JSON. What people make and edit is not replaced but by `overwrite`: `own` files that are there stay, and plans that are not these are refused.
 * @throws ConfigError before anything is written
 */
async function writeAll(
  folder: string,
  made: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
  overwrite: boolean,
): Promise<void> {
  const textOf = (value: unknown) => `${JSON.stringify(value, null, 4)}\n`;
  const [plans] = Object.keys(made);
  const there = await readIfThere(join(folder, plans));
  if (!overwrite && there !== undefined && new TextDecoder().decode(there) !== textOf(made[plans]))
    throw new ConfigError(
      `${join(folder, plans)} is there with other plans; choose another --out, or replace it with --overwrite`,
    );
  await makeFolder(folder);
  for (const [name, value] of Object.entries({ ...made, ...own })) {
    const path = join(folder, name);
    if (name in own && !overwrite && existsSync(path)) say(`${path} is there and stays as it is`);
    else await writeFileAtomic(path, new TextEncoder().encode(textOf(value)));
  }
}

function tell({ configurations }: NnunetPlans, file: string): void {
  for (const [name, c] of Object.entries(configurations)) {
    const own = c as Partial<PlannedConfiguration>;
    say(
      own.patch_size
        ? `${name}: spacing ${own.spacing!.map((s) => Number(s.toFixed(4))).join("×")}, patch ${own.patch_size.join("×")}, batch ${own.batch_size}, features ${own.architecture!.arch_kwargs.features_per_stage.join("-")}`
        : `${name}: behind ${(c as { readonly previous_stage?: string }).previous_stage}`,
    );
  }
  say(`plans ${file}`);
}
