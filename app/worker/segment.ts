/** @file Segmenting a scan with a model, and the files that come of it. */

import { DeviceLostError, FormatError } from "voxgrad";
import {
  encodeMesh,
  type LabelClass,
  makeVolume,
  type Volume,
  writeDicomSegmentation,
  writeDicomStructures,
  writeNifti,
} from "voxgrad/data";
import { type LabelVolume, labelVolumes, surfaceOf, volumesCsv } from "voxgrad/seg";
import type { Calls, Download, Result } from "../protocol.ts";
import { isFlat, overlayOf } from "./display.ts";
import { alone } from "./gpu.ts";
import { closeModel, modelName, modelOf } from "./models.ts";
import { readScan, scanName, scanSeries, type Series } from "./scans.ts";
import { type CallContext, timer } from "./serve.ts";
import { structuresOf, valuesOf } from "./structures.ts";

interface Kept {
  readonly name: string;
  readonly labels: Volume;
  readonly classes: readonly LabelClass[];
  readonly model: string;
  readonly series: Series | undefined;
}

const results = new Map<string, Kept>();
let counter = 0;
// Label maps of large scans are large too.
const most = 4;

type SegmentArgs = Calls["segment"]["args"];

export function segmentScan({ scan, model, input }: SegmentArgs, context: CallContext<"segment">): Promise<Result> {
  return alone(async () => {
    const started = performance.now();
    context.tell({ kind: "progress", what: "reading", done: 0, total: 1 });
    const image = await readScan(scan);
    const { labels, classes, notes } = await segmented(image, { scan, model, input }, context).catch((error: unknown) => {
      // Once more on a new device, as training does.
      if (!(error instanceof DeviceLostError)) throw error;
      return segmented(image, { scan, model, input }, context);
    });
    context.tell({ kind: "progress", what: "measuring", done: 0, total: 1 });
    return keep(scan, model, { labels, classes, notes, measured: !isFlat(image) }, (performance.now() - started) / 1000);
  }, context);
}

async function segmented(image: Volume, { model, input }: SegmentArgs, context: CallContext<"segment">) {
  context.tell({ kind: "progress", what: "opening", done: 0, total: 1 });
  const opened = await modelOf(model, input ?? {});
  const eta = timer();
  try {
    const { labels, notes = [] } = await opened.segment(image, {
      signal: context.signal,
      onPlan: ({ windows, peakBytes }) => {
        context.tell({ kind: "plan", windows, bytes: peakBytes });
        context.tell({ kind: "progress", what: "segmenting", done: 0, total: windows });
      },
      onProgress: (done, total) => context.tell({ kind: "progress", what: "segmenting", done, total, eta: eta(done, total) }),
    });
    return { labels, classes: opened.labels, notes };
  } catch (error) {
    // After a lost device or a lack of memory nothing of it is of use.
    if (!context.signal.aborted) closeModel();
    throw error;
  }
}

interface Segmented {
  readonly labels: Volume;
  readonly classes: readonly LabelClass[];
  readonly notes: readonly string[];
  /** Whether its voxels have lengths. */
  readonly measured: boolean;
}

function keep(scan: string, model: string, { labels, classes, notes, measured }: Segmented, seconds: number): Result {
  const key = `result${++counter}`;
  const name = scanName(scan);
  const series = scanSeries(scan);
  results.set(key, { name, labels, classes, model: modelName(model), series });
  for (const old of [...results.keys()].slice(0, -most)) results.delete(old);
  const volumes = volumesOf(name, labels, classes);
  const structures = structuresOf(classes).map((s, i) => ({
    ...s,
    voxels: volumes[i].voxels,
    milliliters: measured ? volumes[i].milliliters : null,
  }));
  const overlay = overlayOf(labels.shape[0] > 1 ? stacked(labels, classes) : labels, valuesOf(classes));
  return { key, scan, model: modelName(model), seconds, structures, overlay, notes, dicom: series !== undefined };
}

/** Channel c of regions that a model leaves apart, which may overlap. */
function channelOf({ data, shape, affine, meta }: Volume, c: number): Volume {
  const voxels = data.length / shape[0];
  return makeVolume({ data: data.subarray(c * voxels, (c + 1) * voxels), shape: [1, ...shape.slice(1)] }, affine, meta);
}

/** Such regions over one another, the later in front. */
function stacked(labels: Volume, classes: readonly LabelClass[]): Volume {
  const first = channelOf(labels, 0);
  const out = new Uint8Array(first.data.length);
  for (const [c, { values }] of classes.entries()) {
    const { data } = channelOf(labels, c);
    for (let i = 0; i < out.length; i++) if (data[i] !== 0) out[i] = values[0];
  }
  return makeVolume({ data: out, shape: first.shape }, labels.affine, labels.meta);
}

function volumesOf(name: string, labels: Volume, classes: readonly LabelClass[]): LabelVolume[] {
  if (labels.shape[0] === 1) return labelVolumes(name, labels, labels.spacing, classes);
  return classes.flatMap((l, c) => labelVolumes(name, channelOf(labels, c), labels.spacing, [{ name: l.name, values: [1] }]));
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

const objects = { seg: writeDicomSegmentation, rtstruct: writeDicomStructures } as const;

/** The labels as a DICOM object of the series, for viewers, archives and planning systems. */
export async function objectFile(key: string, kind: keyof typeof objects): Promise<Download> {
  const { name, labels, classes, model, series } = keptOf(key);
  if (!series) throw new FormatError(`${name} is no DICOM series`);
  const bytes = await objects[kind](labels, { like: series.files, series: series.chosen, classes, algorithm: model });
  return { name: `${fileName(name)}.${kind}.dcm`, blob: blobOf(bytes, "application/dicom") };
}

/** The surface of a structure as STL, in millimeters. */
export async function surfaceFile(key: string, structure: number): Promise<Download> {
  const { name, labels, classes } = keptOf(key);
  const { name: part, values } = structuresOf(classes)[structure];
  const apart = labels.shape[0] > 1;
  const mesh = surfaceOf(labels, { labels: apart ? 1 : values, channel: apart ? structure : 0, smooth: 10 });
  return { name: `${fileName(name)}_${fileName(part)}.stl`, blob: blobOf(encodeMesh(mesh, "stl"), "model/stl") };
}

/** The volumes as a table. */
export async function volumesFile(key: string): Promise<Download> {
  const { name, labels, classes } = keptOf(key);
  return {
    name: `${fileName(name)}_volumes.csv`,
    blob: blobOf(volumesCsv(volumesOf(name, labels, classes)), "text/csv"),
  };
}
