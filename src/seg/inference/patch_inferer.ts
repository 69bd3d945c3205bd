/** @file MONAI's `PatchInferer`: a splitter takes images apart, a network sees the patches, a merger puts together what it says. */
import { isVolume, makeVolume, type Volume } from "../../data/volume.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectArguments, isClass, isHostArray, refused } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { deviceOf } from "./device_of.ts";
import type { Images } from "./inferers.ts";
import { AvgMerger, type AvgMergerOptions, type Merger, type MergerOptions } from "./merger.ts";
import { Predictor } from "./predictor.ts";
import { functionOf, type WindowPredictor } from "./sliding_window.ts";
import type { SplitPatch, Splitter } from "./splitter.ts";
import type { WindowOutputs } from "./window_outputs.ts";

/** One image for each output of the network, in its structure: an array `[N, K, …]`, a list or a record of them. A list of one is the array. */
export type MergedOutputs<O extends WindowOutputs> = O extends HostArray ? HostArray : { readonly [K in keyof O]: HostArray };

/** Options of `PatchInferer`. */
export interface PatchInfererOptions {
  /** What takes images apart; without one `run` is given patches, and `mergerKwargs` must have a `mergedShape`. */
  readonly splitter?: Splitter | null;
  /** Class of what puts patches together, one for each output. Default `AvgMerger`. */
  readonly mergerCls?: "AvgMerger" | (new (options: MergerOptions) => Merger);
  /** Patches per call of the network; the batch of N images is `[patches · N, C, …patch]`. Default 1. */
  readonly batchSize?: number;
  /** What becomes of a batch of patches `[B, C, …]` before the network sees it. */
  readonly preprocessing?: (patches: HostArray<Float32Array>) => HostArray<Float32Array> | Promise<HostArray<Float32Array>>;
  /** What becomes of the network's outputs for a batch. */
  readonly postprocessing?: (outputs: WindowOutputs) => WindowOutputs | Promise<WindowOutputs>;
  /** Which outputs of a record are merged, or what those of a list are called. Default all, as they come. */
  readonly outputKeys?: readonly string[];
  /** Crop the result to the images, without what the splitter padded. Default true. */
  readonly matchSpatialShape?: boolean;
  /** How many patches upstream's second thread prepares; it changes nothing here. */
  readonly bufferSize?: number;
  /** Options of the merger; shapes that are left out follow from the images and the outputs of the first batch. */
  readonly mergerKwargs?: Partial<AvgMergerOptions> & Readonly<Record<string, unknown>>;
  /** Called after every batch with the patches done. */
  readonly onProgress?: (done: number) => void;
  /** Aborting it ends the run after the batch in flight, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** An output's merger, and how many of its voxels a voxel of the image is on each axis. */
interface Merging {
  readonly merger: Merger;
  readonly ratio: readonly number[];
}

/**
 * Inference patch by patch, by a splitter and a merger (MONAI `PatchInferer`). Outputs may be smaller or larger than their patches: the images are then so by the same
 * ratio.
 */
export class PatchInferer {
  private readonly options: PatchInfererOptions;

  /** @throws ConfigError for options out of range */
  constructor(options: PatchInfererOptions) {
    const op = "PatchInferer";
    expectOptions(
      op,
      options,
      "splitter:object? mergerCls batchSize:number preprocessing:function outputKeys:texts postprocessing:function matchSpatialShape:boolean bufferSize:number mergerKwargs:object onProgress:function signal",
    );
    const { splitter, mergerCls = AvgMerger, batchSize = 1, outputKeys = [] } = options;
    if (splitter && typeof splitter.split !== "function")
      refused(op, "splitter", "a splitter such as new SlidingWindowSplitter({ … })", splitter);
    if (mergerCls !== "AvgMerger" && !isMerger(mergerCls))
      refused(op, "mergerCls", 'a class of mergers, or "AvgMerger"', mergerCls);
    expectIntegers(op, { batchSize }, 1);
    const twice = outputKeys.find((key, i) => outputKeys.indexOf(key) !== i);
    if (twice !== undefined) throw new ConfigError(`${op}: outputKeys has "${twice}" twice; give each output a name of its own`);
    this.options = options;
  }

  /**
   * What the merger makes of the network's outputs; for a volume `[C, x, y, z]` in its place, where it has as many voxels. Patches are float32.
   * @param images `[N, C, …spatial]`, a volume, or without a splitter the patches and where they are
   * @throws ConfigError without a splitter for images, and with one for patches; ShapeError if there is no patch, or an output does not go with the patches
   */
  async run<O extends WindowOutputs = HostArray>(
    images: Images | Volume | Iterable<SplitPatch>,
    model: Module | WindowPredictor<O>,
  ): Promise<MergedOutputs<O>> {
    const { splitter } = this.options;
    if (!splitter) return this.merge(patchesOf(images), undefined, model) as Promise<MergedOutputs<O>>;
    const whole: unknown = images instanceof Tensor ? { data: await images.data(), shape: images.shape } : images;
    expectArguments("PatchInferer", "array", { images: whole });
    const array = whole as HostArray;
    if (!isVolume(array)) return this.merge(splitter.split(array), array, model) as Promise<MergedOutputs<O>>;
    const batch = { data: array.data, shape: [1, ...array.shape] };
    const found = await this.merge(splitter.split(batch), batch, model);
    return mapped(found, ({ data, shape: [, ...shape] }) =>
      sameShape(shape.slice(1), array.shape.slice(1)) ? makeVolume({ data, shape }, array.affine, array.meta) : { data, shape },
    ) as MergedOutputs<O>;
  }

  private async merge(
    patches: Iterable<SplitPatch>,
    images: HostArray | undefined,
    model: Module | WindowPredictor<WindowOutputs>,
  ): Promise<WindowOutputs> {
    const { batchSize = 1, preprocessing, postprocessing, outputKeys, onProgress, signal } = this.options;
    const network = model instanceof Module ? new Predictor(deviceOf(model), model) : undefined;
    const predict: ReturnType<typeof functionOf<WindowOutputs>> = functionOf(
      network ?? (model as WindowPredictor<WindowOutputs>),
    );
    let names: readonly string[] | undefined = outputKeys?.length ? outputKeys : undefined;
    let merging: Merging[] | undefined;
    let done = 0;
    try {
      for (const group of groups(patches, batchSize)) {
        signal?.throwIfAborted();
        const batch = joined(group);
        const given = await predict(preprocessing ? await preprocessing(batch) : batch, []);
        const { list, keys } = listed(postprocessing ? await postprocessing(given) : given, names);
        names ??= keys;
        const parts = list.map((out) => chunks(out, group));
        merging ??= parts.map(([first]) => this.begun(first, group[0].patch, images));
        for (const [o, { merger, ratio }] of merging.entries())
          for (const [i, { location }] of group.entries())
            merger.aggregate(parts[o][i], ratio.map((r, a) => roundHalfEven(location[a] * r))); // oxfmt-ignore
        onProgress?.((done += group.length));
      }
    } finally {
      network?.dispose();
    }
    if (!merging)
      throw new ShapeError("PatchInferer: there is no patch; is the filter too strict, or a patch larger than the images?");
    const merged = merging.map(({ merger }) => merger.finalize());
    if (names) return Object.fromEntries(names.slice(0, merged.length).map((name, i) => [name, merged[i]]));
    return merged.length === 1 ? merged[0] : merged;
  }

  /** The merger of an output, of which this is the first. */
  private begun(out: HostArray, patch: HostArray, images: HostArray | undefined): Merging {
    const { splitter, mergerCls = AvgMerger, matchSpatialShape = true, mergerKwargs = {} } = this.options;
    const ratio = out.shape.slice(2).map((n, a) => n / patch.shape[a + 2]);
    const scaled = (shape: readonly number[]) => [...out.shape.slice(0, 2), ...ratio.map((r, a) => roundHalfEven(shape[a] * r))];
    const mergedShape = mergerKwargs.mergedShape ?? (images && scaled(splitter!.getPaddedShape(images)));
    if (!mergedShape)
      throw new ConfigError(
        "PatchInferer: what patches are merged to must be told; give mergerKwargs: { mergedShape }, or a splitter",
      );
    const croppedShape =
      mergerKwargs.croppedShape ??
      (images && scaled(matchSpatialShape ? splitter!.getInputShape(images) : splitter!.getPaddedShape(images)));
    const options = { ...mergerKwargs, mergedShape, ...(croppedShape && { croppedShape }) };
    const Class = mergerCls === "AvgMerger" ? AvgMerger : mergerCls;
    return { merger: new Class(options), ratio };
  }
}

const isMerger = (value: unknown): boolean =>
  isClass(value) && "aggregate" in ((value as unknown as { prototype?: object }).prototype ?? {});

/** Patches that were given in place of images. */
function patchesOf(given: unknown): Iterable<SplitPatch> {
  const patches = given as Partial<Iterable<SplitPatch>> | null | undefined;
  if (isHostArray(given) || given instanceof Tensor || typeof patches?.[Symbol.iterator] !== "function")
    refused("PatchInferer", "what run is given", "patches { patch, location } where there is no splitter", given, "set splitter");
  return patches as Iterable<SplitPatch>;
}

function* groups(patches: Iterable<SplitPatch>, size: number): Generator<SplitPatch[]> {
  let group: SplitPatch[] = [];
  for (const one of patches) {
    expectArguments("PatchInferer", "array", { patch: (one as Partial<SplitPatch> | undefined)?.patch });
    expectArguments("PatchInferer", "numbers", { location: one.location });
    if (group.push(one) < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Patches one behind the other. */
function joined(group: readonly SplitPatch[]): HostArray<Float32Array> {
  const { shape } = group[0].patch;
  const size = sizeOf(shape);
  const data = new Float32Array(group.length * size);
  for (const [i, { patch }] of group.entries()) {
    if (!sameShape(patch.shape, shape))
      throw new ShapeError(
        `PatchInferer: patches of one batch are ${showShape(shape)} and ${showShape(patch.shape)}; set batchSize to 1`,
      );
    data.set(patch.data, i * size);
  }
  return { data, shape: [group.length * shape[0], ...shape.slice(1)] };
}

/** The outputs of a batch in a list, and what those of a record are called. */
function listed(
  given: WindowOutputs,
  wanted: readonly string[] | undefined,
): { list: readonly HostArray[]; keys?: readonly string[] } {
  const what = "what the network gives";
  if (Array.isArray(given) || isHostArray(given)) {
    const list = [given].flat() as HostArray[];
    expectArguments("PatchInferer", "arrays", { [what]: list });
    return { list };
  }
  // Plain JavaScript may give anything.
  const one: unknown = given;
  expectArguments("PatchInferer", "object", { [what]: one });
  const record = given as Readonly<Record<string, HostArray>>;
  const keys = wanted ?? Object.keys(record);
  for (const key of keys)
    if (!isHostArray(record[key]))
      throw new ConfigError(`PatchInferer: ${what} has no array "${key}" (its keys: ${Object.keys(record).join(", ")})`);
  return { list: keys.map((key) => record[key]), keys };
}

/** The part of an output that is of each patch. */
function chunks({ data, shape }: HostArray, group: readonly SplitPatch[]): HostArray[] {
  const count = group.length;
  const { shape: patch } = group[0].patch;
  if (shape.length < 2 || shape.length > patch.length || shape[0] % count !== 0)
    throw new ShapeError(
      `PatchInferer: the network returned ${showShape(shape)} for ${showShape([count * patch[0], ...patch.slice(1)])}; expected [N, K, …] for each of ${count} patches, of as many axes`,
    );
  const size = data.length / count;
  const own = [shape[0] / count, ...shape.slice(1)];
  return group.map((_, i) => ({ data: data.subarray(i * size, (i + 1) * size), shape: own }));
}

function mapped(outputs: WindowOutputs, change: (x: HostArray) => HostArray): WindowOutputs {
  if (isHostArray(outputs)) return change(outputs);
  if (Array.isArray(outputs)) return (outputs as readonly HostArray[]).map(change);
  return Object.fromEntries(Object.entries(outputs as Readonly<Record<string, HostArray>>).map(([k, v]) => [k, change(v)]));
}
