/** @file `voxgrad nnunet find-best`: which of some trained configurations, or of their pairs, segments best, and whether post-processing helps it. */

import { resolve } from "node:path";
import type { Case } from "../../../../data/folders/dataset_index.ts";
import type { HostArray } from "../../../../host/array.ts";
import { ConfigError } from "../../../../host/errors.ts";
import type { Device } from "../../../../tensor/device.ts";
import { bestOf, membersOf } from "../../../nnunet/find_best.ts";
import type { NnunetRecipeOptions } from "../../../recipes/nnunet/options.ts";
import nnunet from "../../../recipes/nnunet/recipe.ts";
import type { ReadCase } from "../../../recipes/prepared.ts";
import type { RunConfig } from "../../../recipes/recipe.ts";
import { contextOf, readConfig, readRunInfo, type RunInfo } from "../../../run/files.ts";
import { FolderData } from "../../../run/folder_data.node.ts";
import { folderStore } from "../../../run/folder_store.node.ts";
import { decidePostprocessing, writePostprocessing } from "../../../run/postprocessing.ts";
import { expectSameData } from "../../../run/same_data.ts";
import { openRun, segmentCases } from "../../../run/segment.ts";
import type { RunStore } from "../../../run/store.ts";
import { ProgressLine } from "../../../training/progress.ts";
import { type Command, flag, helpLines, parse, say, text } from "../../command_line.node.ts";
import { interruptible, withDevice } from "../../device.node.ts";
import { expectFree, writeOutput } from "../../outputs.node.ts";

const usage = "RUN… [--out FILE.json [--overwrite]] [--no-ensembles] [--data DIR]";

const help = `voxgrad nnunet find-best ${usage}

Segments the validation cases of each run, runs of one configuration being its folds, and of every two configurations as an ensemble (mean of their
probabilities), and tells which has the best mean Dice of the foreground. What keeping the largest components does for it is decided as in nnU-Net,
and written into its runs; voxgrad predict does it from then on.

${helpLines([
  ["out FILE.json", "writes the scores and the choice"],
  ["overwrite", "replace that file if it is there"],
  ["no-ensembles", "compare single configurations only"],
  ["data DIR", "the dataset, if it is no longer where the runs were trained"],
])}`;

interface TrainedRun {
  readonly store: RunStore;
  readonly config: RunConfig<NnunetRecipeOptions>;
  readonly info: RunInfo;
  readonly val: readonly Case[];
  readonly read: ReadCase;
}

/** Compares runs. */
export const findBestCommand: Command = {
  name: "find-best",
  usage: [[usage, "the best of several configurations and their ensembles"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, { out: text, data: text, "no-ensembles": flag, overwrite: flag }, true);
    expectFree({ outputs: [values.out], overwrite: values.overwrite });
    if (positionals.length === 0) throw new ConfigError("nnunet find-best needs the folders of trained runs");
    const runs: TrainedRun[] = [];
    for (const path of positionals) runs.push(await trainedRun(folderStore(resolve(path)), values.data));
    const groups = Map.groupBy(runs, nameOf);
    for (const [name, folds] of groups) {
      const numbers = folds.map((r) => r.config.fold);
      if (new Set(numbers).size < numbers.length)
        throw new ConfigError(`${name} comes with the folds ${numbers}; each may come once`);
    }
    const line = new ProgressLine(process.stderr);
    const { signal, done } = interruptible("stopping after this batch");
    try {
      return await withDevice((device) => compare(device, groups, { ...values, signal, line }));
    } finally {
      line.finish();
      done();
    }
  },
};

/** Runs of one name are folds of each other. */
const nameOf = ({ config }: TrainedRun): string => {
  const { architecture, patch_size } = config.trained;
  const { features_per_stage } = architecture.arch_kwargs;
  return `${config.plans.plans_name} ${config.configuration} ${patch_size.join("×")} ${features_per_stage.join("-")}`;
};

async function trainedRun(store: RunStore, dataFolder: string | undefined): Promise<TrainedRun> {
  const info = await readRunInfo(store);
  if (info.recipe.name !== nnunet.name)
    throw new ConfigError(`${store.name} is of recipe ${info.recipe.name}; nnunet find-best compares runs of ${nnunet.name}`);
  const config = await readConfig<NnunetRecipeOptions>(store, nnunet);
  const data = await (await FolderData.openFor(dataFolder ?? config.data, nnunet, config)).fold(config.fold);
  expectSameData(nnunet, { config, info }, data);
  const { val, read } = data;
  return { store, config, info, val: val.filter((c) => c.label !== undefined), read };
}

interface Comparing {
  readonly out?: string | undefined;
  readonly "no-ensembles"?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly line: ProgressLine;
}

/** Label map and truth of a case, each `[1, x, y, z]`. */
interface Pair {
  readonly prediction: HostArray;
  readonly truth: HostArray;
}

async function compare(device: Device, groups: ReadonlyMap<string, readonly TrainedRun[]>, options: Comparing): Promise<number> {
  const { signal, line } = options;
  const scored: { members: string[]; cases: Map<string, readonly number[]>; pairs: Pair[] }[] = [];
  for (const members of membersOf([...groups.keys()], !options["no-ensembles"])) {
    const found = { members, cases: new Map<string, readonly number[]>(), pairs: [] as Pair[] };
    const folds = foldsOf(members.map((name) => groups.get(name)!));
    const total = folds.reduce((n, [{ val }]) => n + val.length, 0);
    const started = performance.now();
    const label = members.join(" + ");
    const onCase = () => line.update({ label, done: found.cases.size, total, seconds: (performance.now() - started) / 1000 });
    for (const runs of folds) {
      await segmentFold(device, runs, signal, found, onCase);
      if (signal.aborted) return 130;
    }
    scored.push(found);
  }
  line.finish();
  const { best, all } = bestOf(scored);
  for (const { members, dice } of all) say(`${dice.toFixed(4)}  ${members.join(" + ")}`);
  say(`best: ${best.members.join(" + ")}`);
  const { pairs } = scored[all.indexOf(best)];
  const [{ config, info }] = groups.get(best.members[0])!;
  const found = await decidePostprocessing(pairs.length, async (i) => pairs[i], contextOf(nnunet, config, info).outputs);
  for (const step of found.steps) say(`keeps the largest component of label ${"labels" in step ? step.labels?.join(" + ") : ""}`);
  if (found.steps.length === 0) say("keeping the largest components does not help");
  for (const name of best.members) for (const { store } of groups.get(name)!) await writePostprocessing(store, found);
  if (options.out !== undefined) {
    const runs = best.members.flatMap((name) => groups.get(name)!.map(({ store }) => store.name));
    const result = { best: best.members, runs, candidates: all, postprocessing: found };
    await writeOutput(options.out, new TextEncoder().encode(`${JSON.stringify(result, null, 2)}\n`));
  }
  return 0;
}

/** The runs of each fold, one per member. Throws `ConfigError` where a member lacks a fold. */
function foldsOf(members: readonly (readonly TrainedRun[])[]): TrainedRun[][] {
  return members[0].map((first) =>
    members.map((runs) => {
      const same = runs.find((r) => r.config.fold === first.config.fold);
      if (same) return same;
      throw new ConfigError(
        `${nameOf(runs[0])} has no run of fold ${first.config.fold}; an ensemble needs the same folds of both`,
      );
    }),
  );
}

async function segmentFold(
  device: Device,
  runs: readonly TrainedRun[],
  signal: AbortSignal,
  found: { readonly cases: Map<string, readonly number[]>; readonly pairs: Pair[] },
  onCase: () => void,
): Promise<void> {
  const opened = [];
  try {
    for (const { store } of runs) opened.push(await openRun(device, store, nnunet));
    const [{ val, read }] = runs;
    for await (const { id, labels, dice, source } of segmentCases(opened, val, read, { signal, ensemble: "probabilities" })) {
      found.cases.set(id, dice!);
      found.pairs.push({ prediction: labels, truth: source.label! });
      onCase();
    }
  } catch (error) {
    if (!(signal.aborted && error === signal.reason)) throw error;
  } finally {
    for (const run of opened) run.dispose();
  }
}
