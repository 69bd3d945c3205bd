/** @file Detection in the report of a run whose segmenter finds things: candidates of each case against the list of the dataset, or the components of its mask. */

import { csvField, csvRows, placeInOrder } from "../../host/csv.ts";
import { DataError } from "../../host/errors.ts";
import { counted } from "../../host/text.ts";
import { nodulesOfMask } from "../../data/nodules/mask_nodules.ts";
import type { LoadedCase } from "../recipes/recipe.ts";
import { type Candidate, type DetectionSummary, summarizeDetections, lunaRates, matchCandidates } from "../metrics/detection.ts";
import type { Detections } from "../metrics/froc.ts";
import { curveSvg } from "../pictures/pictures.ts";
import { files } from "./files.ts";
import type { Segmented } from "./segment.ts";
import type { RunStore } from "./store.ts";

/** What is asked of a case: what was found, and the list or the mask of what there is. */
export interface Searched extends Pick<Segmented, "id" | "candidates"> {
  readonly source: Pick<LoadedCase, "nodules" | "label">;
}

const header = "id,x,y,z,diameter_mm,score";

/** The candidates that a report or a prediction has written, by case; undefined where nothing was looked for. Throws `DataError` for another table. */
export async function readCandidates(store: RunStore): Promise<Map<string, Candidate[]> | undefined> {
  const bytes = await store.read(files.candidates);
  if (!bytes) return undefined;
  const found = new Map<string, Candidate[]>();
  const [names = [], ...rows] = csvRows(new TextDecoder().decode(bytes));
  if (names.join() !== header)
    throw new DataError(`${store.name}: ${files.candidates} has the columns ${names.join(", ")}, not ${header}`);
  for (const [id, ...numbers] of rows) {
    const [x, y, z, diameter, score] = numbers.map(Number);
    found.set(id, [...(found.get(id) ?? []), { center: [x, y, z], diameter, score }]);
  }
  return found;
}

const candidateRows = (id: string, candidates: readonly Candidate[]): string[] =>
  candidates.map(({ center, diameter, score }) =>
    [csvField(id), ...[...center, diameter].map((v) => v.toFixed(2)), score.toFixed(4)].join(","),
  );

/** Writes what was found in cases (RAS mm) into a store's table, in which rows of other cases stay, in the `order` of cases. */
export async function writeCandidates(
  store: RunStore,
  found: ReadonlyMap<string, readonly Candidate[]>,
  order: readonly string[] = [],
): Promise<void> {
  const all: (readonly [id: string, readonly Candidate[]])[] = [...((await readCandidates(store)) ?? [])];
  const kept = all.filter(([id]) => !found.has(id));
  for (const own of found) {
    const ids = kept.map(([id]) => id);
    kept.splice(placeInOrder(ids, own[0], order), 0, own);
  }
  const rows = kept.flatMap(([id, candidates]) => candidateRows(id, candidates));
  await store.write(files.candidates, `${[header, ...rows].join("\n")}\n`);
}

/** Matches cases one by one, so that none is kept. */
export class DetectionTally {
  private readonly matches: Detections[] = [];
  private readonly rows: string[] = [header];

  /** Does nothing for cases that were not searched, or whose truth is not known. */
  add({ id, source, candidates }: Searched): void {
    if (!candidates) return;
    this.rows.push(...candidateRows(id, candidates));
    const targets = source.nodules ?? (source.label && nodulesOfMask(source.label));
    if (targets) this.matches.push(matchCandidates(candidates, targets));
  }

  /** What is said of all; undefined for runs that look for nothing. */
  get summary(): DetectionSummary | undefined {
    return this.matches.length === 0 ? undefined : summarizeDetections(this.matches);
  }

  /** Files of pictures that `write` writes. */
  get pictures(): readonly string[] {
    return this.matches.length === 0 ? [] : [files.frocCurve];
  }

  /** Writes the table of candidates (RAS mm) and the curve, if there is anything to tell, or a table to tell nothing of. */
  async write(store: RunStore): Promise<void> {
    const { summary } = this;
    if (summary || (await store.has(files.candidates))) await store.write(files.candidates, `${this.rows.join("\n")}\n`);
    if (summary) await store.write(files.frocCurve, frocSvg(summary));
  }
}

/** Sensitivity by false positives per scan. */
export function frocSvg({ curve, sensitivity, targets, images }: DetectionSummary): string {
  const most = Math.max(...lunaRates);
  const points = [...curve.filter(([x]) => x <= most), [most, sensitivity] as const];
  const series = [{ name: `${counted(targets, "target")} in ${counted(images, "scan")}`, points }];
  const axes = { xLabel: "false positives per scan", yLabel: "sensitivity", yRange: [0, 1] as const };
  return curveSvg(series, { title: "Free-response curve", ...axes });
}
