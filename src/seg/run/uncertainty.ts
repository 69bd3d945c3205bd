/** @file Cases segmented many times with dropout on: a label map, how far the draws agree on each structure, and where they do not. */

import { expectItems, expectArguments, expectFields } from "../../host/kinds.ts";
import type { Case } from "../../data/folders/dataset_index.ts";
import type { LabelClass } from "../../data/labels.ts";
import { voxelVolumeAt, withGeometryOf } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { nanMean } from "../../host/stats.ts";
import type { Device } from "../../tensor/device.ts";
import { hasDropout, StructureCounts, type StructureUncertainties, TestDropout } from "../inference/monte_carlo.ts";
import type { SampledLabels, Segmenter, SegmentHooks } from "../inference/segmenter.ts";
import { voteOfLabels } from "../post/ensemble.ts";
import { csvField } from "../../host/csv.ts";
import { asStored, type ReadCase, readyCase } from "../recipes/prepared.ts";
import type { LoadedCase } from "../recipes/recipe.ts";
import type { OpenedRun, Segmented } from "./segment.ts";

/** The agreement of the draws of a case on a class. */
export interface CaseUncertainty {
  /** Of the case. */
  readonly id: string;
  /** Of the class. */
  readonly name: string;
  /** Voxels that all draws give the class over voxels that any does. */
  readonly iou: number;
  /** Standard deviation over mean of the volumes; NaN for a class that no draw finds. */
  readonly coefficientOfVariation: number;
  /** Mean volume. */
  readonly milliliters: number;
}

/** A case segmented several times with dropout. */
export interface SampledCase extends Segmented {
  /** How far the draws agree, class by class. */
  readonly structures: readonly CaseUncertainty[];
  /** `[1, x, y, z]` on the grid of the source: variance of the probabilities, or where a recipe has none, of what the draws decided. */
  readonly variance: HostArray;
}

/** Options of `sampleCases`. */
export interface SampleCasesOptions {
  /** Default 10. */
  readonly samples?: number;
  /** Aborting stops between batches. */
  readonly signal?: AbortSignal | undefined;
  /** Called within a case. `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Throws `ConfigError` for a run whose draws would all be the same; networks that see different views differ without dropout. */
export function expectDraws(run: OpenedRun): void {
  expectFields("expectDraws", "run", run, { recipe: "object", networks: "object" });
  const { recipe, networks } = run;
  const list = Object.values(networks);
  if (list.length > 1 || list.some((network) => hasDropout(network))) return;
  throw new ConfigError(
    `the network of the run (recipe ${recipe.name}) has no dropout, so that all draws are the same and say nothing of its uncertainty: train one with dropout, or compare several runs`,
  );
}

/**
 * Segments cases with dropout on, in order, each when it is asked for. Recipes whose segmenter can add up probabilities decide by their mean, others by vote.
 * @throws ConfigError for fewer than one draw, and for a network without dropout; what `segmentCases` throws
 */
export async function* sampleCases(
  device: Device,
  run: OpenedRun,
  cases: readonly Case[],
  read: ReadCase,
  options: SampleCasesOptions = {},
): AsyncGenerator<SampledCase, void, undefined> {
  expectOptions("sampleCases", options, "samples signal onProgress");
  expectFields("sampleCases", "run", run, { context: "object", segmenter: "object" });
  expectItems("sampleCases", "cases", cases);
  expectArguments("sampleCases", "function", { read });
  const { recipe, context } = run;
  const { samples = 10, signal, onProgress } = options;
  expectIntegers("sampleCases", { samples }, 1);
  expectDraws(run);
  const draws = recipe.postprocess || !run.segmenter.sample ? new VotedDraws(device, run) : undefined;
  try {
    for (const item of cases) {
      signal?.throwIfAborted();
      const { stored, source, prepared } = await readyCase(recipe, context, read, item);
      const hooks = { signal, onProgress };
      const found = draws
        ? await draws.sample(source, prepared.image, samples, hooks)
        : await run.segmenter.sample!(prepared.image, samples, hooks);
      const voxel = voxelVolumeAt(source.image, source.image.spacing) / 1000;
      const structures = context.outputs.foreground.map(({ name }, c): CaseUncertainty => {
        const { iou, coefficientOfVariation: cv, volumes } = found.structures;
        const milliliters = nanMean(volumes.map((v) => v[c + 1])) * voxel;
        return { id: item.id, name, iou: iou[c + 1], coefficientOfVariation: cv[c + 1], milliliters };
      });
      const back = (map: HostArray) => asStored(stored, context.orientation, map);
      yield { id: stored.id, source: stored, labels: back(found.labels), structures, variance: back(found.variance) };
    }
  } finally {
    draws?.dispose();
  }
}

/** Label maps of the same networks with their dropout on, of which each is decided by itself. */
class VotedDraws {
  private readonly run: OpenedRun;
  private readonly segmenter: Segmenter;

  constructor(device: Device, run: OpenedRun) {
    const { recipe, context, networks } = run;
    const on = Object.entries(networks).map(([name, network]) => [name, new TestDropout(network)] as const);
    this.run = run;
    this.segmenter = recipe.segmenter(device, Object.fromEntries(on), context);
  }

  async sample(source: LoadedCase, image: HostArray, samples: number, hooks: SegmentHooks): Promise<SampledLabels> {
    const { recipe, context } = this.run;
    const maps: HostArray[] = [];
    for (let s = 0; s < samples; s++) {
      const found = await this.segmenter.run(image, { signal: hooks.signal });
      maps.push((await recipe.postprocess?.(found, source, context)) ?? found);
      hooks.onProgress?.(s + 1, samples);
    }
    const labels = voteOfLabels(maps.map((m) => withGeometryOf(source.image, m))).data;
    return {
      labels: { data: labels as Uint8Array, shape: maps[0].shape },
      structures: agreement(maps, context.outputs.foreground),
      variance: spread(maps),
    };
  }

  dispose(): void {
    this.segmenter.dispose();
  }
}

/** How far label maps agree on each class or region. The background, the first entry, is not asked for. */
function agreement(maps: readonly HostArray[], foreground: readonly LabelClass[]): StructureUncertainties {
  const mask = new Uint8Array(maps[0].data.length);
  const found = foreground.map(({ values }) => {
    const inside = new Set(values);
    const counts = new StructureCounts(2);
    counts.begin(mask.length);
    for (const [s, { data }] of maps.entries()) {
      for (let i = 0; i < mask.length; i++) mask[i] = inside.has(data[i]) ? 1 : 0;
      counts.add(mask, s);
    }
    counts.end();
    return counts.result();
  });
  const of = (value: (u: StructureUncertainties) => number) => Float64Array.from([NaN, ...found.map(value)]);
  return {
    iou: of((u) => u.iou[1]),
    coefficientOfVariation: of((u) => u.coefficientOfVariation[1]),
    volumes: maps.map((_, s) => of((u) => u.volumes[s][1])),
  };
}

/** 1 − Σ f² of the shares f of the labels that a voxel was given: the variance of its one-hot label, added up over the classes. */
function spread(maps: readonly HostArray[]): HostArray<Float32Array> {
  const [{ data: first, shape }] = maps;
  const out = new Float32Array(first.length);
  const n = maps.length;
  for (let i = 0; i < out.length; i++) {
    let pairs = 0;
    for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) if (maps[a].data[i] === maps[b].data[i]) pairs++;
    out[i] = 1 - pairs / (n * n);
  }
  return { data: out, shape };
}

const header = "case,label,iou,cv,ml";

/** The table as CSV, a row per case and class; an empty field for a class that no draw finds. */
export function uncertaintyCsv(rows: readonly CaseUncertainty[]): string {
  expectItems("uncertaintyCsv", "rows", rows);
  const number = (v: number, digits: number): string => (Number.isNaN(v) ? "" : v.toFixed(digits));
  const lines = rows.map(({ id, name, iou, coefficientOfVariation: cv, milliliters }) =>
    [csvField(id), csvField(name), number(iou, 6), number(cv, 6), number(milliliters, 4)].join(","),
  );
  return `${[header, ...lines].join("\n")}\n`;
}
