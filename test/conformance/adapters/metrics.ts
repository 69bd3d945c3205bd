/**
 * @file MONAI's metrics: `monai.metrics.X` is what voxgrad/seg exports as X in camelCase, a class that appends and aggregates or a function, with every
 * option under its name in camelCase.
 */
import * as seg from "../../../src/seg/metrics/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, type Families, NotCovered, withKnownOptions } from "../format.ts";
import { camel } from "../../lib/names.ts";

type Args = Record<string, any>;

/** What says how the case calls the metric. */
const calling = new Set(["get_not_nans", "aggregate", "aggregate_pos", "return_with_label"]);

/** A name upstream and here: snake_case to camelCase, and MONAI's own capitals. */
const exported = (name: string): any => (seg as Record<string, any>)[camel(name)];

/** A list where the case has a small tensor. */
const plain = (v: any): any =>
  ArrayBuffer.isView(v?.data)
    ? v.shape.length === 0
      ? v.data[0]
      : v.shape.length === 1
        ? Array.from(v.data as Float64Array)
        : v
    : v;

/** Options under their names here; None is an option left out. */
function options(args: Args): Args {
  const out: Args = {};
  for (const [key, value] of Object.entries(args)) if (!calling.has(key) && value !== null) out[camel(key)] = plain(value);
  // Deprecated names of two options.
  const { softmax, sigmoid, ...rest } = out;
  return {
    ...rest,
    ...(softmax !== undefined && { applyArgmax: softmax }),
    ...(sigmoid !== undefined && { threshold: sigmoid }),
  };
}

interface Counted {
  readonly value: HostArray;
  readonly notNans: HostArray;
}

const isCounted = (v: any): v is Counted => typeof v === "object" && v !== null && "notNans" in v;

/** A result as upstream returns it: with the counts if the case asks for them. */
function result(v: unknown, notNans: boolean | undefined): unknown {
  if (Array.isArray(v)) return v.map((each) => result(each, notNans));
  if (!isCounted(v)) return v;
  return notNans ? [v.value, v.notNans] : v.value;
}

const counting = new Set<unknown>([seg.ConfusionMatrixMetric, seg.FBetaScore]);

/** Batches of a class of counted or ranked scores, then the aggregate. */
function cumulative(Metric: any, { args, inputs }: Case): unknown {
  const calls: Args[] = inputs.calls ?? [inputs];
  // Upstream counts what is not known as it comes; here that is asked for.
  const unknown = counting.has(Metric) && calls.some(({ y }) => (y?.data as Float64Array | undefined)?.some(Number.isNaN));
  const metric = new Metric({ ...options(args), ...(unknown && { strict: false }) });
  for (const { y_pred, y, kw, ...more } of calls) metric.append(y_pred, y, options({ ...kw, ...more }));
  const { reduction, average, compute_sample } = { ...args.aggregate };
  const by = [reduction ?? average ?? args.aggregate_pos?.find((a: unknown) => typeof a === "string")];
  const computeSample = compute_sample ?? args.aggregate_pos?.find((a: unknown) => typeof a === "boolean");
  if (Metric === seg.FBetaScore) return [result(metric.aggregate(...by), args.get_not_nans)];
  if (!("aggregateAll" in metric)) return result(metric.aggregate(...by), args.get_not_nans);
  const all = result(metric.aggregateAll(...by, computeSample), args.get_not_nans) as unknown[];
  return Metric === seg.PanopticQualityMetric && all.length === 1 ? all[0] : all;
}

/** MONAI rounds named scores to four digits. */
function named({ args, inputs }: Case): unknown {
  const metric = new seg.DiceMetric({ ...options(args), returnWithLabel: args.return_with_label });
  for (const { y_pred, y } of inputs.calls) metric.append(y_pred, y);
  const labeled = Object.fromEntries(Object.entries(metric.labeled()).map(([name, v]) => [name, Number(v.toFixed(4))]));
  return args.get_not_nans ? [labeled, metric.aggregate("mean_batch").notNans] : labeled;
}

const diceMetric: Adapter = (test) =>
  withKnownOptions(test.op, () =>
    test.args.return_with_label && test.args.reduction === "mean_batch" ? named(test) : cumulative(seg.DiceMetric, test),
  );

/** A value that is averaged over calls, each with its count. */
const cumulativeAverage: Adapter = ({ inputs }) => {
  const average = new seg.CumulativeAverage();
  let shape: readonly number[] = [];
  for (const { val, value, data, count } of (inputs.calls ?? []) as Args[]) {
    const v = val ?? value ?? data;
    shape = ArrayBuffer.isView(v?.data) ? v.shape : Array.isArray(v) ? [v.length] : [];
    average.append(plain(v), plain(count) ?? 1);
  }
  return { data: average.aggregate(), shape };
};

/** The arguments of a function, wherever the case has them. */
const given = ({ args, inputs }: Case): Args => ({ ...args, ...inputs });

const functions: Record<string, (a: Args, asList: boolean) => unknown> = {
  compute_confusion_matrix_metric: (a) => seg.computeConfusionMatrixMetric(a.metric_name, a.confusion_matrix),
  compute_f_beta_score: () => {
    throw new NotCovered("a function that is part of FBetaScore here");
  },
  label_quality_score: ({ y_pred, y, ...a }) => seg.computeLabelQuality(y_pred, y, options(a)),
  do_metric_reduction: (a, asList) => {
    const { value, notNans } = seg.reduceMetric(a.f, a.reduction ?? "mean");
    return asList ? [value, notNans] : { f: value, not_nans: notNans };
  },
  compute_panoptic_quality: (a) => {
    if (!a.output_confusion_matrix)
      return seg.computePanopticQuality(
        a.pred,
        a.gt,
        options({ ...a, pred: null, gt: null, remap: null, output_confusion_matrix: null }),
      );
    const { tp, fp, fn, iouSum } = seg.countPanoptic(
      a.pred,
      a.gt,
      options({ match_iou_threshold: a.match_iou_threshold ?? null }),
    );
    return { data: Float64Array.of(tp, fp, fn, iouSum), shape: [4] };
  },
  compute_fp_tp_probs: (a) => {
    const [probs, y, x] = [a.probs, a.y_coord, a.x_coord].map(plain);
    const found = seg.computeFpTpProbs(probs, y, x, a.evaluation_mask, plain(a.labels_to_exclude) ?? [], a.resolution_level ?? 0);
    return [listOf(found.fpProbs), listOf(found.tpProbs), found.numTargets];
  },
  compute_fp_tp_probs_nd: (a) => {
    const found = seg.computeFpTpProbsNd(plain(a.probs), a.coords, a.evaluation_mask, plain(a.labels_to_exclude) ?? []);
    return [listOf(found.fpProbs), listOf(found.tpProbs), found.numTargets];
  },
  compute_froc_curve_data: (a) => {
    const curve = seg.computeFrocCurveData(plain(a.fp_probs), plain(a.tp_probs), a.num_targets, a.num_images);
    return [listOf(curve.fpsPerImage), listOf(curve.totalSensitivity)];
  },
  compute_froc_score: (a) =>
    seg.computeFrocScore(
      plain(a.fps_per_image),
      plain(a.total_sensitivity),
      (a.eval_thresholds ?? null) === null ? undefined : [plain(a.eval_thresholds)].flat(),
    ),
};

const listOf = (values: number[]): HostArray => ({ data: Float64Array.from(values), shape: [values.length] });

const metric: Adapter = (test) => {
  const name = test.op.slice(test.op.lastIndexOf(".") + 1);
  const found = Object.hasOwn(functions, name) ? functions[name] : exported(name);
  if (typeof found !== "function") throw new NotCovered(name);
  return withKnownOptions(test.op, () => {
    if (Object.hasOwn(functions, name)) return functions[name](given(test), Array.isArray(test.expected));
    if (!/^[A-Z]/.test(name)) {
      const { y_pred, y, ...more } = given(test);
      return y === undefined ? found(y_pred, options(more)) : found(y_pred, y, options(more));
    }
    if (!("run" in found.prototype)) return cumulative(found, test);
    const { y_pred, y } = test.inputs.calls?.[0] ?? test.inputs;
    return result(new found(options(test.args)).run(y_pred, y), test.args.get_not_nans ?? true);
  });
};

export const adapters: Adapters = {
  "monai.metrics.DiceMetric": diceMetric,
  "monai.metrics.CumulativeAverage": cumulativeAverage,
};

export const families: Families = [[/^monai\.metrics\.\w+(?:\.\w+)?$/, metric]];
