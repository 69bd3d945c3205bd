/** @file MONAI's overlap metrics. */
import {
  type Aggregate,
  computeDice,
  computeIou,
  DiceMetric,
  MeanIoU,
  type MetricOptions,
  type OverlapOptions,
  reduceMetric,
} from "../../../src/seg/metrics/overlap.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, expectKnown, NotCovered } from "../format.ts";

/** The options that scoring takes; `more` are those of what is around it. */
function overlap({ op, args }: Case, more = ""): OverlapOptions {
  expectKnown(op, args, `include_background ignore_empty num_classes ${more}`.split(" "));
  const options: OverlapOptions = {};
  if (args.include_background !== undefined) options.includeBackground = args.include_background;
  if (args.ignore_empty !== undefined) options.ignoreEmpty = args.ignore_empty;
  if (typeof args.num_classes === "number") options.numClasses = args.num_classes;
  return options;
}

function result(a: Aggregate, notNans: boolean | undefined): HostArray | HostArray[] {
  return notNans ? [a.value, a.notNans] : a.value;
}

function cumulative(Metric: typeof DiceMetric | typeof MeanIoU): Adapter {
  return (test) => {
    const { args, inputs } = test;
    const options: MetricOptions = overlap(test, "reduction get_not_nans aggregate aggregate_pos");
    if (args.reduction) options.reduction = args.reduction;
    const metric = new Metric(options);
    for (const { y_pred, y } of inputs.calls) metric.append(y_pred, y);
    return result(metric.aggregate(args.aggregate?.reduction), args.get_not_nans);
  };
}

/** MONAI's helper thresholds, scores and reduces in one call, and keeps the background if it thresholds. */
function diceHelper(test: Case): HostArray[] {
  const { args, inputs } = test;
  const options = overlap(test, "threshold activate softmax sigmoid reduction get_not_nans");
  if (!args.threshold || args.activate) throw new NotCovered("argmax or sigmoid inside the metric");
  const mask: HostArray = {
    data: Uint8Array.from(inputs.y_pred.data as Float32Array, (p) => (p > 0.5 ? 1 : 0)),
    shape: inputs.y_pred.shape,
  };
  const scores = computeDice(mask, inputs.y, { includeBackground: true, ...options });
  const { value, notNans } = reduceMetric(scores, args.reduction ?? "mean_batch");
  return [value, notNans];
}

export const adapters: Adapters = {
  "monai.metrics.DiceMetric": cumulative(DiceMetric),
  "monai.metrics.MeanIoU": cumulative(MeanIoU),
  "monai.metrics.DiceHelper": diceHelper,
  "monai.metrics.compute_dice": (test) => computeDice(test.inputs.y_pred, test.inputs.y, overlap(test)),
  "monai.metrics.compute_iou": (test) => computeIou(test.inputs.y_pred, test.inputs.y, overlap(test)),
};
