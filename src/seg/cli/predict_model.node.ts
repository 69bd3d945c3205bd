/** @file `voxgrad predict --model`: label maps by a model of any kind. */

import { resolve } from "node:path";
import type { SeriesChoice } from "../../data/folders/dataset_index.ts";
import { canWrite } from "../../data/formats/read_image.ts";
import { ConfigError } from "../../host/errors.ts";
import type { KeepScores } from "../inference/kept_scores.ts";
import type { InferenceOptions } from "../inference/segmenter.ts";
import type { ModelSegmentation, Normalization, OpenModelOptions, SegmentationModel } from "../models/model.ts";
import { modelFiles } from "../models/model_files.node.ts";
import { openModel } from "../models/open.ts";
import { readFiles } from "../run/folder_data.node.ts";
import { folderStore } from "../run/folder_store.node.ts";
import type { RunStore } from "../run/store.ts";
import { scoresOnDisk } from "../run/scores_on_disk.node.ts";
import { casesOfNetwork } from "../run/inputs.node.ts";
import { recipeOf, say } from "./command_line.node.ts";
import { withDevice } from "./device.node.ts";
import type { ObjectAsked } from "./dicom_objects.node.ts";
import { casesWithout, type Existing, predictCases, type SegmentCase } from "./predict_cases.node.ts";

/** What the command line says of it. */
export interface ModelFlags {
  readonly out?: string | undefined;
  readonly data?: string | undefined;
  readonly fold?: number | "all" | undefined;
  readonly weights?: "last" | "best" | undefined;
  readonly normalization?: string | undefined;
  readonly axes?: string | undefined;
  readonly previous?: string | undefined;
  readonly recipe?: string | undefined;
  readonly probabilities: boolean;
  readonly dicom?: ObjectAsked | undefined;
  readonly choices: readonly SeriesChoice[];
  readonly existing: Existing;
  readonly tuned: boolean;
  readonly inference: InferenceOptions;
}

/** Cases read from their files and segmented by a model. */
const byModel =
  (model: SegmentationModel, probabilities: boolean, keepScores: KeepScores): SegmentCase =>
  async (item, hooks) => {
    const source = await readFiles(model.labels)(item);
    const found: ModelSegmentation = await model.segment(source.image, {
      ...hooks,
      probabilities: probabilities && "channels",
      keepScores,
    });
    return { id: item.id, source, ...found };
  };

/** The ending of label maps: that of the model's own kind, where files of it are written here. */
function endingOf({ writes }: SegmentationModel): string | undefined {
  if (!writes) return undefined;
  const { ending } = writes;
  if (/^(\.\w+)+$/.test(ending) && canWrite(ending)) return ending;
  say(`label maps are written as .nii.gz: ${JSON.stringify(ending)}, the dataset's file_ending, is not written here`);
  return undefined;
}

/** What programs of the model's kind want to find in a folder of predictions; what is there stays. */
async function writeFolderFiles(out: RunStore, { writes }: SegmentationModel): Promise<void> {
  for (const [name, bytes] of writes?.folder ?? []) if (!(await out.has(name))) await out.write(name, bytes);
}

/** The exit code. @throws ConfigError for flags that do not go together, what `openModel` throws */
export async function predictWithModel(path: string, paths: readonly string[], flags: ModelFlags): Promise<number> {
  if (flags.out === undefined) throw new ConfigError("a model has no folder of its own for what it predicts: give --out DIR");
  if (flags.data !== undefined) throw new ConfigError("--model takes image files and folders in place of --data");
  const { axes, normalization } = flags;
  if (axes !== undefined && axes !== "xyz" && axes !== "zyx") throw new ConfigError(`--axes must be xyz or zyx, got "${axes}"`);
  const out = folderStore(resolve(flags.out));
  const options: OpenModelOptions = {
    inference: flags.inference,
    weights: flags.weights,
    axes,
    normalization: normalization as Normalization | undefined,
    ...(flags.fold !== undefined && { folds: [flags.fold] }),
    ...(flags.recipe !== undefined && { recipe: await recipeOf(flags.recipe) }),
  };
  const { probabilities, existing, tuned, inference } = flags;
  return withDevice(
    async (device) => {
      const model = await openModel(device, modelFiles(resolve(path)), options);
      try {
        const asked = await casesOfNetwork(paths, model.channels, flags.previous, say, flags.choices);
        const order = asked.map(({ id }) => id);
        const beside = model.writes?.probabilities;
        const results = { out, probabilities, ending: endingOf(model), beside, dicom: flags.dicom, order };
        const cases = await casesWithout(asked, model.labels, results, existing, paths);
        say(model.description);
        const keep = scoresOnDisk(out.name);
        const code = await predictCases(cases, model.labels, results, byModel(model, probabilities, keep));
        if (probabilities) await writeFolderFiles(out, model);
        return code;
      } finally {
        model.dispose();
      }
    },
    { tuned, half: inference.precision === "f16" },
  );
}
