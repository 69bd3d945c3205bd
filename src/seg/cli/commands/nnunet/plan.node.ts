/** @file `voxgrad nnunet plan`: a dataset checked, its fingerprint taken, and nnU-Net's plans for it. */

import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeFileAtomic } from "../../../../host/files.node.ts";
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
import { expectFree } from "../../outputs.node.ts";

const usage = "--data DIR --out DIR [--planner NAME] [--memory GB] [--spacing z,y,x] [--overwrite]";

const help = `voxgrad nnunet plan ${usage}

Reads every labelled case and lists what is wrong, takes the fingerprint, and plans as nnU-Net does. Writes into the folder dataset.json,
dataset_fingerprint.json, splits_final.json and the plans, in nnU-Net's formats; train --recipe nnunet --plans FILE trains them.

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
    const out = resolve(values.out);
    const { planner = "ExperimentPlanner", overwrite } = values;
    if (!Object.hasOwn(planners, planner))
      throw new ConfigError(`unknown planner "${planner}"; known are ${Object.keys(planners).join(", ")}`);
    expectFree({ outputs: [join(out, `${planners[planner as PlannerName].plansName}.json`)], overwrite });
    const data = await (await FolderData.open(values.data)).fold("all");
    const { index } = data;
    if (index.training.length === 0) throw new ConfigError(`${values.data} has no labelled cases`);
    const line = new ProgressLine(process.stderr);
    const progress = (label: string) => (done: number, total: number) => line.update({ label, done, total });
    try {
      const read = await checkedCases(data, progress("checking cases"));
      const fingerprint = await fingerprintCases(index.training, read, progress("fingerprint"));
      const dataset = datasetJson(index.labels, index.modality, filesOf(index));
      const plans = planExperiment(fingerprint, dataset, {
        datasetName: index.name,
        planner: planner as PlannerName,
        ...(values.memory !== undefined && { gpuMemoryTargetInGb: numberIn("memory", values.memory) }),
        ...(values.spacing !== undefined && {
          overwriteTargetSpacing: values.spacing.split(",").map((n) => numberIn("spacing", n)),
        }),
      });
      line.finish();
      const files = {
        "dataset.json": dataset,
        "dataset_fingerprint.json": fingerprint,
        [`${plans.plans_name}.json`]: plans,
        ...(index.training.length >= 5 && {
          "splits_final.json": generateCrossvalSplit(index.training.map((c) => c.id).toSorted()),
        }),
      };
      await writeAll(out, files, overwrite === true);
      tell(plans, join(values.out, `${plans.plans_name}.json`));
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

/** Other planners have left what all of them share, and it may have been edited since: only what is the same is written again. Throws `ConfigError`. */
async function writeAll(folder: string, files: Readonly<Record<string, unknown>>, overwrite: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  const texts = Object.entries(files).map(
    ([name, value]) => [join(folder, name), `${JSON.stringify(value, null, 4)}\n`] as const,
  );
  const before = await Promise.all(texts.map(([path]) => readFile(path, "utf8").catch(() => undefined)));
  const others = texts.filter(([, text], i) => before[i] !== text).map(([path]) => path);
  expectFree({ outputs: others, overwrite });
  for (const [path, text] of texts) await writeFileAtomic(path, text);
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
