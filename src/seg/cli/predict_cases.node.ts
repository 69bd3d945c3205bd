/** @file Predicting cases one after the other, with whatever segments them: what is there already, progress, files, volumes. */

import { withGeometryOf } from "../../data/volume.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "../../data/folders/dataset_index.ts";
import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import { csvField, csvRows } from "../../host/csv.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { counted, formatBytes } from "../../host/text.ts";
import type { SegmentPlan } from "../inference/segmenter.ts";
import type { Candidate } from "../metrics/detection.ts";
import type { ModelSegmentation } from "../models/model.ts";
import { labelVolumes, type LabelVolume, volumesCsv } from "../post/label_volumes.ts";
import { readCandidates, writeCandidates } from "../run/detections.ts";
import { files } from "../run/files.ts";
import { inTurn } from "../run/folder_store.node.ts";
import { expectFreeOutputs, expectOtherFolder } from "../run/inputs.node.ts";
import type { Segmented } from "../run/segment.ts";
import { writePrediction, writeProbabilities } from "../run/write_predictions.ts";
import { type RunStore, writePieces } from "../run/store.ts";
import { say } from "./command_line.node.ts";
import { expectDicomImages, expectPlaces, type ObjectAsked, objectEnding, objectOf } from "./dicom_objects.node.ts";
import { type CaseTools, codeOf, eachCase } from "./each_case.node.ts";

export const fileOf = (id: string, ending = ".nii.gz"): string => `${id}${ending}`;
export const probabilitiesOf = (id: string): string => `${id}_probabilities.nii.gz`;

/** Where results go, and which. */
export interface Results {
  readonly out: RunStore;
  readonly probabilities: boolean;
  /** Of label maps; default ".nii.gz". */
  readonly ending?: string | undefined;
  /** Endings of the files that are written with probabilities, beside ours. */
  readonly beside?: readonly string[] | undefined;
  /** A DICOM object that is written for each case too. */
  readonly dicom?: ObjectAsked | undefined;
  /** Names of all cases in the order of their rows in tables; default that in which they are done. */
  readonly order?: readonly string[] | undefined;
}

export interface CaseHooks {
  readonly signal: AbortSignal;
  readonly onPlan: (plan: SegmentPlan) => void;
  readonly onProgress: (done: number, total: number) => void;
}

export type SegmentCase = (item: Case, hooks: CaseHooks) => Promise<Segmented & Pick<ModelSegmentation, "files">>;

async function volumesTable(out: RunStore): Promise<string | undefined> {
  const bytes = await out.read(files.volumes);
  return bytes && new TextDecoder().decode(bytes);
}

async function volumesWith(out: RunStore, volumes: readonly LabelVolume[], order?: readonly string[]): Promise<string> {
  try {
    return volumesCsv(volumes, await volumesTable(out), order);
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${out.name}: ${files.volumes} is another table: ${error.message}`);
    throw error;
  }
}

/** What becomes of results that are there: an error, written anew, or left with their cases. */
export type Existing = "refuse" | "replace" | "skip";

/** As two flags say it. @throws ConfigError for both */
export function existingAsked(flags: { readonly overwrite?: boolean; readonly "skip-existing"?: boolean }): Existing {
  if (flags.overwrite && flags["skip-existing"])
    throw new ConfigError("--overwrite writes results anew, --skip-existing leaves them: give one of the two");
  return flags.overwrite ? "replace" : flags["skip-existing"] ? "skip" : "refuse";
}

/**
 * The cases whose results are to be made, of those that `paths` name. Throws `ConfigError` if a result would be another's or replace a file, and `DataError` if a table is not one that
 * results may be added to.
 */
export async function casesWithout(
  cases: readonly Case[],
  labels: readonly LabelClass[],
  { out, probabilities, ending, beside = [], dicom }: Results,
  existing: Existing,
  paths: readonly string[] = [],
): Promise<readonly Case[]> {
  const more = [...(probabilities ? [probabilitiesOf(""), ...beside] : []), ...(dicom ? [objectEnding(dicom.kind)] : [])];
  const endings = [ending, ...more];
  const outputsOf = (id: string) => endings.map((end) => join(out.name, fileOf(id, end)));
  expectOtherFolder(
    paths,
    out.name,
    cases.flatMap(({ id }) => outputsOf(id)),
  );
  expectFreeOutputs(cases, outputsOf, existing !== "refuse");
  await volumesWith(out, []);
  await readCandidates(out);
  if (existing !== "skip") return cases;
  // What finds no structure has no rows, whatever others have in the table.
  const table = foregroundOf(labels).length === 0 ? undefined : await volumesTable(out);
  const told =
    table === undefined
      ? undefined
      : new Set(
          csvRows(table)
            .slice(1)
            .map(([id]) => id),
        );
  // A map without a row is of a call that was killed while it replaced one.
  const isDone = (id: string) => outputsOf(id).every((path) => existsSync(path)) && (told === undefined || told.has(id));
  const left = cases.filter(({ id }) => !isDone(id));
  say(`${counted(cases.length - left.length, "case")} of ${cases.length} left out, whose results are in ${out.name}`);
  return left;
}

/** Other processes that predict into the folder wait meanwhile: each reads a table and writes it anew. */
const alone = (out: RunStore, task: () => Promise<void>) => inTurn(out.name, "tables.lock", task);

/** Into a table that is there, also for nothing found: rows of another prediction go. */
async function putCandidates(out: RunStore, id: string, found?: readonly Candidate[], order?: readonly string[]): Promise<void> {
  if (found || (await out.has(files.candidates))) await writeCandidates(out, new Map([[id, found ?? []]]), order);
}

/** Writes the rows of a case into the tables of the folder, in which rows of others stay: that of its volumes last, by which the case is known to be done. */
const writeRows = (
  { out, order }: Results,
  id: string,
  volumes: readonly LabelVolume[],
  found: readonly Candidate[] | undefined,
) =>
  alone(out, async () => {
    await putCandidates(out, id, found, order);
    if (volumes.length > 0) await out.write(files.volumes, await volumesWith(out, volumes, order));
  });

const dropRows = (out: RunStore, id: string) =>
  alone(out, async () => {
    const rows = csvRows((await volumesTable(out)) ?? "");
    const others = rows.filter(([first], i) => i === 0 || first !== id);
    if (others.length < rows.length)
      await out.write(files.volumes, others.map((row) => `${row.map(csvField).join(",")}\n`).join(""));
    await putCandidates(out, id);
  });

/** @returns the exit code, see `codeOf` */
export async function predictCases(
  cases: readonly Case[],
  labels: readonly LabelClass[],
  results: Results,
  segmentCase: SegmentCase,
): Promise<number> {
  const { out, probabilities, ending, dicom } = results;
  if (dicom) await expectDicomImages(cases);
  const begun = performance.now();
  const hooksOf = (id: string, { line, signal, before }: CaseTools): CaseHooks => ({
    signal,
    onPlan: (plan) => line.log(planned(id, plan)),
    onProgress(windows, total) {
      const seconds = (performance.now() - begun) / 1000;
      const finished = before + windows / total;
      // Of all cases, which are taken to be alike.
      const eta = (seconds / finished) * (cases.length - finished);
      line.update({ label: `${before + 1}/${cases.length} ${id}  windows`, done: windows, total, seconds, eta });
    },
  });
  const predicted = await eachCase(cases, async (item, tools) => {
    if (dicom) await expectPlaces(item, dicom, labels);
    const segmented = await segmentCase(item, hooksOf(item.id, tools));
    try {
      const { id, candidates, source, notes = [], files: beside = new Map() } = segmented;
      for (const note of notes) tools.line.log(`${id}: warning: ${note}`);
      const placed = withGeometryOf(source.image, segmented.labels);
      const volumes = labelVolumes(id, placed, source.image.spacing, labels);
      // Whenever the call is killed, no row stands beside a map that it does not tell of, and the case, which lacks its map or its row, is taken again.
      const replaced = await out.has(fileOf(id, ending));
      await (replaced ? dropRows(out, id) : writeRows(results, id, volumes, candidates));
      if (probabilities) await writeProbabilities(out, probabilitiesOf(id), segmented);
      if (dicom) await out.write(fileOf(id, objectEnding(dicom.kind)), await objectOf(dicom, item, placed, labels));
      for (const [end, pieces] of beside) await writePieces(out, fileOf(id, end), pieces());
      await writePrediction(out, fileOf(id, ending), segmented);
      if (replaced) await writeRows(results, id, volumes, candidates);
    } finally {
      segmented.probabilityMap?.dispose();
    }
  });
  const { done, bad } = predicted;
  say(`${counted(done, "label map")} in ${out.name}`);
  const left = cases.length - done - bad.length;
  if (left > 0) say(`${counted(left, "case")} left: the same command with --skip-existing goes on`);
  return codeOf(predicted, cases.length);
}

/** What will be done for a case, in a line. */
function planned(id: string, { windows, passes = windows, bands = 1, peakBytes }: SegmentPlan): string {
  const slabs = bands > 1 ? ` in ${bands} bands` : "";
  return `${id}: ${counted(windows, "window")}${slabs}, ${counted(passes, "pass", "passes")}, ${formatBytes(peakBytes)} on the device`;
}
