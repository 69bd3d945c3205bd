/** @file Cases segmented many times, one after the other: their maps, and the rows of what is done whatever ends the call. */

import { writeNifti } from "../../data/formats/nifti/nifti.ts";
import type { Case } from "../../data/folders/dataset_index.ts";
import type { LabelClass } from "../../data/labels.ts";
import { withGeometryOf } from "../../data/volume.ts";
import { counted } from "../../host/text.ts";
import { labelVolumes, type LabelVolume, volumesCsv } from "../post/label_volumes.ts";
import { files } from "../run/files.ts";
import { writePrediction } from "../run/write_predictions.ts";
import type { RunStore } from "../run/store.ts";
import { type SampleCasesOptions, type SampledCase, uncertaintyCsv } from "../run/uncertainty.ts";
import { say } from "./command_line.node.ts";
import { codeOf, eachCase } from "./each_case.node.ts";

export const fileOf = (id: string): string => `${id}.nii.gz`;
export const varianceOf = (id: string): string => `${id}_variance.nii.gz`;

/** Draws a case several times. */
export type SampleCase = (item: Case, options: SampleCasesOptions) => Promise<SampledCase>;

/** What a generator gives for a single case, once it has freed what it took for that. */
export async function onlyOne(drawn: AsyncGenerator<SampledCase>): Promise<SampledCase> {
  const found: SampledCase[] = [];
  for await (const sampled of drawn) found.push(sampled);
  return found[0];
}

/** @returns the exit code, see `codeOf` */
export async function uncertainCases(
  cases: readonly Case[],
  labels: readonly LabelClass[],
  out: RunStore,
  samples: number,
  sampleCase: SampleCase,
): Promise<number> {
  const structures: SampledCase["structures"][number][] = [];
  const volumes: LabelVolume[] = [];
  const writeTables = async () => {
    await out.write(files.uncertainty, uncertaintyCsv(structures));
    await out.write(files.volumes, volumesCsv(volumes));
  };
  // Empty first, so that no row of an earlier call stands beside a map of this one.
  await writeTables();
  const sampled = await eachCase(cases, async (item, { line, signal }) => {
    const onProgress = (done: number, total: number) => line.update({ label: `sampling ${item.id}`, done, total });
    const drawn = await sampleCase(item, { samples, signal, onProgress });
    const { id, source } = drawn;
    await writePrediction(out, fileOf(id), drawn);
    const map = withGeometryOf(source.image, drawn.variance);
    await out.write(varianceOf(id), await writeNifti(map, { dtype: "f32", gzip: true }));
    structures.push(...drawn.structures);
    volumes.push(...labelVolumes(id, withGeometryOf(source.image, drawn.labels), source.image.spacing, labels));
    await writeTables();
  });
  say(`${counted(sampled.done, "case")} of ${counted(samples, "draw")} in ${out.name}`);
  return codeOf(sampled, cases.length);
}
