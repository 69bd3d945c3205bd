/** @file Segmenting a scan with a model, and the files that come of it. */

import { FormatError } from "voxgrad";
import { encodeMesh, type LabelClass, type Volume, writeNifti } from "voxgrad/data";
import { labelVolumes, surfaceOf, volumesCsv } from "voxgrad/seg";
import type { Download, Result } from "../protocol.ts";
import { overlayOf } from "./display.ts";
import { alone } from "./gpu.ts";
import { closeModel, modelName, modelOf } from "./models.ts";
import { readScan, scanName } from "./scans.ts";
import { type CallContext, timer } from "./serve.ts";
import { structuresOf, valuesOf } from "./structures.ts";

interface Kept {
  readonly name: string;
  readonly labels: Volume;
  readonly classes: readonly LabelClass[];
}

const results = new Map<string, Kept>();
let counter = 0;
// Label maps of large scans are large too.
const most = 4;

export function segmentScan(scan: string, model: string, context: CallContext<"segment">): Promise<Result> {
  return alone(async () => {
    context.signal.throwIfAborted();
    const started = performance.now();
    context.tell({ kind: "progress", what: "reading", done: 0, total: 1 });
    const image = await readScan(scan);
    context.tell({ kind: "progress", what: "opening", done: 0, total: 1 });
    const opened = await modelOf(model);
    const eta = timer();
    let labels: Volume;
    try {
      ({ labels } = await opened.segment(image, {
        signal: context.signal,
        onPlan: ({ windows, peakBytes }) => context.tell({ kind: "plan", windows, bytes: peakBytes }),
        onProgress: (done, total) => context.tell({ kind: "progress", what: "segmenting", done, total, eta: eta(done, total) }),
      }));
    } catch (error) {
      // After a lost device or a lack of memory nothing of it is of use.
      if (!context.signal.aborted) closeModel();
      throw error;
    }
    context.tell({ kind: "progress", what: "measuring", done: 0, total: 1 });
    return keep(scan, model, labels, opened.labels, (performance.now() - started) / 1000);
  });
}

function keep(scan: string, model: string, labels: Volume, classes: readonly LabelClass[], seconds: number): Result {
  const key = `result${++counter}`;
  const name = scanName(scan);
  results.set(key, { name, labels, classes });
  for (const old of [...results.keys()].slice(0, -most)) results.delete(old);
  const volumes = labelVolumes(name, labels, labels.spacing, classes);
  const structures = structuresOf(classes).map((s, i) => ({
    ...s,
    voxels: volumes[i].voxels,
    milliliters: volumes[i].milliliters,
  }));
  return { key, scan, model: modelName(model), seconds, structures, overlay: overlayOf(labels, valuesOf(classes)) };
}

const keptOf = (key: string): Kept => {
  const found = results.get(key);
  if (found) return found;
  throw new FormatError("this result is no longer there; segment the scan again");
};

const fileName = (text: string): string => text.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "scan";
const blobOf = (bytes: Uint8Array | string, type: string): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>], { type });

/** The label map in the scan's own geometry. */
export async function labelFile(key: string): Promise<Download> {
  const { name, labels } = keptOf(key);
  const dtype = labels.data instanceof Uint8Array ? "u8" : "i32";
  return {
    name: `${fileName(name)}_seg.nii.gz`,
    blob: blobOf(await writeNifti(labels, { dtype, gzip: true }), "application/gzip"),
  };
}

/** The surface of a structure as STL, in millimeters. */
export async function surfaceFile(key: string, structure: number): Promise<Download> {
  const { name, labels, classes } = keptOf(key);
  const { name: part, values } = structuresOf(classes)[structure];
  const mesh = surfaceOf(labels, { labels: values, smooth: 10 });
  return { name: `${fileName(name)}_${fileName(part)}.stl`, blob: blobOf(encodeMesh(mesh, "stl"), "model/stl") };
}

/** The volumes as a table. */
export async function volumesFile(key: string): Promise<Download> {
  const { name, labels, classes } = keptOf(key);
  return {
    name: `${fileName(name)}_volumes.csv`,
    blob: blobOf(volumesCsv(labelVolumes(name, labels, labels.spacing, classes)), "text/csv"),
  };
}
