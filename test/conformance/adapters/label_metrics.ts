/** @file nnU-Net's evaluation of label maps, and QuickNAT's. */
import {
  computeMetrics,
  diceConfusionMatrix,
  diceScorePerClass,
  type LabelOrRegion,
  labelOrRegionToKey,
} from "../../../src/seg/metrics/index.ts";
import { structureUncertainty } from "../../../src/seg/inference/monte_carlo.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, expectKnown, type Families, NotCovered } from "../format.ts";

type Args = Record<string, any>;

const given = ({ args, inputs }: Case): Args => ({ ...args, ...inputs });
const isArray = (v: any): v is HostArray => ArrayBuffer.isView(v?.data);
const plain = (v: any): any => (isArray(v) ? (v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float64Array)) : v);

/** One label or region: its record. Several: records by their keys. */
const nnunet: Adapter = (test) => {
  const all = given(test);
  expectKnown(test.op, all, ["seg_ref", "seg_pred", "label_or_region", "labels_or_regions", "regions_or_labels", "ignore_label"]);
  const one = plain(all.label_or_region) as LabelOrRegion | undefined;
  const several = (all.labels_or_regions ?? all.regions_or_labels) as LabelOrRegion[] | undefined;
  const ignoreLabel = plain(all.ignore_label) ?? undefined;
  const found = computeMetrics(all.seg_ref, all.seg_pred, several ?? [one!], ignoreLabel === undefined ? {} : { ignoreLabel });
  return several ? found : found[labelOrRegionToKey(one!)];
};

/** Counts of two masks, of voxels that a third does not take out. */
const counts: Adapter = (test) => {
  const all = given(test);
  expectKnown(test.op, all, ["mask_ref", "mask_pred", "ignore_mask"]);
  const ignored: HostArray | undefined = all.ignore_mask ?? undefined;
  const reference = {
    ...all.mask_ref,
    data: Int32Array.from(all.mask_ref.data, (v, i) => (ignored?.data[i] ? 2 : Number(v !== 0))),
  };
  const { TP, FP, FN, TN } = computeMetrics(reference, all.mask_pred, [1], { ignoreLabel: 2 })[1];
  return Array.isArray(test.expected) || isArray(test.expected)
    ? [TP, FP, FN, TN]
    : { TP, FP, FN, TN, tp: TP, fp: FP, fn: FN, tn: TN };
};

const scalar = (value: number): HostArray => ({ data: Float64Array.of(value), shape: [] });

/** The label maps that a function of QuickNAT gets, and how many classes. */
function maps(test: Case): { prediction: HostArray; truth: HostArray; classes: number } {
  const all = given(test);
  expectKnown(test.op, all, ["vol_output", "ground_truth", "num_classes", "no_samples", "mode"]);
  // Upstream draws slices without a seed while it trains.
  if ((all.mode ?? "train") === "train" && all.no_samples !== undefined) throw new NotCovered("a random choice of slices");
  return { prediction: all.vol_output, truth: all.ground_truth, classes: all.num_classes };
}

const quicknat: Record<string, Adapter> = {
  dice_confusion_matrix: (test) => {
    const { prediction, truth, classes } = maps(test);
    const matrix = diceConfusionMatrix(prediction, truth, classes);
    // Upstream's average is over the diagonal matrix of all n² entries, which has n⁴.
    return [scalar(matrix.data.reduce((sum, v) => sum + v, 0) / classes ** 4), matrix];
  },
  dice_score_perclass: (test) => {
    const { prediction, truth, classes } = maps(test);
    return diceScorePerClass(prediction, truth, classes);
  },
  compute_structure_uncertainty: (test) => {
    const all = given(test);
    expectKnown(test.op, all, ["mc_pred_list", "label_map", "ID"]);
    const names = all.label_map as string[];
    const list: HostArray[] = isArray(all.mc_pred_list) ? samplesOf(all.mc_pred_list) : all.mc_pred_list;
    const { iou, coefficientOfVariation } = structureUncertainty(list, names.length - 1);
    const byName = (values: Float64Array) => ({
      vol_ID: all.ID,
      ...Object.fromEntries(Array.from(values, (v, c) => [names[c + 1], v])),
    });
    return [byName(iou), byName(coefficientOfVariation)];
  },
  compute_volume: (test) => {
    const all = given(test);
    expectKnown(test.op, all, ["prediction_map", "label_map", "ID"]);
    const names = all.label_map as string[];
    const [volumes] = structureUncertainty([all.prediction_map], names.length - 1).volumes;
    return { vol_ID: all.ID, ...Object.fromEntries(Array.from(volumes, (v, c) => [names[c + 1], v])) };
  },
};

/** An array of label maps as a list. */
function samplesOf({ data, shape: [n, ...shape] }: HostArray): HostArray[] {
  const size = data.length / n;
  return Array.from({ length: n }, (_, i) => ({ data: data.subarray(i * size, (i + 1) * size), shape }));
}

export const adapters: Adapters = {
  "nnunet.compute_metrics": nnunet,
  "nnunet.compute_tp_fp_fn_tn": counts,
  "nnunet.label_or_region_to_key": (test) => labelOrRegionToKey(plain(given(test).label_or_region)),
};

export const families: Families = [
  [
    new RegExp(`^(?:quicknat|evaluator)\\.(?:\\w+\\.)*(?:${Object.keys(quicknat).join("|")})$`),
    (test, context) => quicknat[test.op.split(".").at(-1)!](test, context),
  ],
];
