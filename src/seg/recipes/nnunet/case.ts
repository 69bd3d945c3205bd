/** @file A case of the recipe "nnunet" made ready: nnU-Net's preprocessing, what the loss compares with, and where its classes are. */

import {
  type CaseProperties,
  nnunetArray,
  preprocessCase,
  type PreprocessedCase,
  sampleForegroundOffsets,
} from "../../../data/nnunet/preprocess.ts";
import { splitPreviousStage, withLabelMasks } from "../../../data/nnunet/previous_stage.ts";
import { foregroundOf, ignoredValue, type LabelClass } from "../../../data/labels.ts";
import { withGeometryOf } from "../../../data/volume.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { reversedAxes } from "../../../host/strided.ts";
import type { OutputKind } from "../../post/output_coding.ts";
import { masksOf } from "../../nnunet/cascade.ts";
import { restoreChannel } from "../../nnunet/restore.ts";
import { preparedImage } from "../prepared.ts";
import type { Context, LoadedCase, PreparedCase } from "../recipe.ts";
import type { NnunetRecipeOptions } from "./options.ts";

export interface NnunetCase extends PreparedCase {
  /** `[C, z, y, x]`, transposed, cropped, normalized and resampled as the plans say. */
  readonly image: HostArray<Float32Array>;
  /** Class indices `[1, …]`, voxels to ignore one above the last; or masks of regions, and one of what is ignored. */
  readonly label?: HostArray<Uint8Array> | undefined;
  /** 1 outside of the body, where the data are normalized within it. */
  readonly outside?: HostArray<Uint8Array> | undefined;
  /** Voxels of each class or region. */
  readonly classes: readonly Uint32Array[];
  /** Voxels that somebody has labeled, of data that have others. */
  readonly labeled?: Uint32Array | undefined;
  readonly properties: CaseProperties;
}

/** nnU-Net's preprocessing of a case. Throws `ShapeError`, `DataError`, `ConfigError` for what does not fit the plans. */
export function prepareNnunetCase(source: LoadedCase, context: Context<NnunetRecipeOptions>): NnunetCase {
  const { config, outputs, labels } = context;
  const configuration = config.trained;
  const { image, spacing } = nnunetArray(withGeometryOf(source.image, preparedImage(source, context)));
  const given = source.label && reversedAxes(source.label);
  const { data, seg, properties } = configuration.previous_stage
    ? secondStageCase({ image, given, spacing }, context)
    : preprocessCase({ image, seg: given, spacing }, config.plans, configuration);
  const outside = configuration.use_mask_for_norm.includes(true) ? { outside: whereOutside(seg) } : {};
  if (!given) return { image: data, classes: [], properties, ...outside };
  const ignore = ignoredValue(labels);
  const classes = sampleForegroundOffsets(
    seg,
    outputs.foreground.map((l) => l.values),
  );
  return {
    image: data,
    label: targetOf(seg, context),
    classes,
    properties,
    ...outside,
    ...(ignore !== undefined && { labeled: sampleForegroundOffsets(seg, [[-1, ...labeledValues(context)]])[0] }),
  };
}

/** The same behind a first stage, whose label map is the last channel: the image gets a mask of each label. */
function secondStageCase(
  {
    image,
    given,
    spacing,
  }: { readonly image: HostArray; readonly given: HostArray | undefined; readonly spacing: readonly number[] },
  { config, labels }: Context<NnunetRecipeOptions>,
): PreprocessedCase {
  const { image: rest, previous } = splitPreviousStage(image);
  const maps = [...(given ? [given] : []), previous];
  const data = new Int16Array(maps.length * previous.data.length);
  for (const [i, map] of maps.entries()) data.set(map.data, i * previous.data.length);
  const both = { data, shape: [maps.length, ...previous.shape.slice(1)] };
  const prepared = preprocessCase({ image: rest, seg: both, spacing }, config.plans, config.trained);
  const { seg } = prepared;
  const voxels = seg.data.length / maps.length;
  const map = (i: number) => ({ data: seg.data.subarray(i * voxels, (i + 1) * voxels), shape: [1, ...seg.shape.slice(1)] });
  return { ...prepared, data: withLabelMasks(prepared.data, map(maps.length - 1), masksOf(config.trained, labels)), seg: map(0) };
}

/** Two classes are two channels too. */
export const nnunetOutputs = (labels: readonly LabelClass[]): OutputKind =>
  foregroundOf(labels).some((l) => l.values.length > 1) ? "regions" : "softmax";

const labeledValues = ({ labels }: Context): number[] => [...new Set(labels.filter((l) => !l.ignore).flatMap((l) => l.values))];

function whereOutside({ data, shape }: HostArray): HostArray<Uint8Array> {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) if (data[i] < 0) out[i] = 1;
  return { data: out, shape };
}

/** What the loss compares with, in bytes; outside of the body is background. */
function targetOf(seg: HostArray, { outputs }: Context): HostArray<Uint8Array> {
  const inside = { data: seg.data.slice(), shape: seg.shape };
  for (let i = 0; i < inside.data.length; i++) if (inside.data[i] < 0) inside.data[i] = 0;
  const ignored = outputs.ignored(inside);
  const target = outputs.target(inside);
  const voxels = sizeOf(seg.shape);
  if (outputs.kind === "softmax") {
    const data = Uint8Array.from(target.data);
    if (ignored) for (let i = 0; i < voxels; i++) if (ignored.data[i] !== 0) data[i] = outputs.channels;
    return { data, shape: target.shape };
  }
  const data = new Uint8Array(target.data.length + (ignored ? voxels : 0));
  data.set(target.data);
  if (ignored) data.set(ignored.data, target.data.length);
  return { data, shape: [data.length / voxels, ...seg.shape.slice(1)] };
}

/** One channel of scores on the grid of its case; -Infinity beyond the crop, where nothing was predicted. */
export function restoredChannel(
  channel: HostArray<Float32Array>,
  prepared: PreparedCase,
  { config }: Context<NnunetRecipeOptions>,
): HostArray<Float32Array> {
  const { transpose_forward: transposeForward, transpose_backward: transposeBackward } = config.plans;
  const { properties } = prepared as NnunetCase;
  const how = { configuration: config.trained, properties, transposeForward, transposeBackward };
  return reversedAxes(restoreChannel(channel, how, -Infinity));
}

/** What prepared cases depend on: not on patch, batch and network, so that these can change. */
export function preparationOf({ config, outputs }: Context<NnunetRecipeOptions>): unknown {
  const c = config.trained;
  const { transpose_forward, foreground_intensity_properties_per_channel } = config.plans;
  return {
    transpose_forward,
    foreground_intensity_properties_per_channel,
    spacing: c.spacing,
    normalization: [c.normalization_schemes, c.use_mask_for_norm],
    resampling: [c.resampling_fn_data, c.resampling_fn_data_kwargs, c.resampling_fn_seg, c.resampling_fn_seg_kwargs],
    outputs: outputs.kind,
    previous: config.previous,
  };
}
