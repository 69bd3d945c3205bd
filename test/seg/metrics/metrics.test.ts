/** @file Metrics beside overlap and surfaces: values by hand and by formula. Numbers of MONAI and nnU-Net are in the conformance suite. */

import { describe, expect, it } from "vitest";
import * as seg from "../../../src/seg/metrics/index.ts";
import { assign } from "../../../src/seg/metrics/assignment.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";

const array = (shape: number[], ...data: number[]): HostArray<Float64Array> => ({ data: Float64Array.from(data), shape });
const values = (a: HostArray): number[] => Array.from(a.data);

describe("confusion matrices", () => {
  const p = array([1, 1, 10], 1, 1, 1, 0, 0, 0, 0, 0, 0, 0);
  const t = array([1, 1, 10], 1, 1, 0, 1, 1, 0, 0, 0, 0, 0);

  it("count, and have 17 rates under their names", () => {
    const matrix = seg.getConfusionMatrix(p, t);
    expect(matrix).toEqual({ data: Float64Array.of(2, 1, 5, 2), shape: [1, 1, 4] });
    const rate = (name: string): number => seg.computeConfusionMatrixMetric(name, matrix).data[0];
    expect(["recall", "Specificity", "ppv", "f1 score", "accuracy"].map(rate)).toEqual([0.5, 5 / 6, 2 / 3, 4 / 7, 0.7]);
    expect(rate("mcc")).toBeCloseTo((2 * 5 - 1 * 2) / Math.sqrt(3 * 4 * 6 * 7), 14);
    expect(seg.computeConfusionMatrixMetric("fdr", array([4], 0, 0, 3, 0)).data[0]).toBeNaN();
    expect(() => rate("kappa")).toThrow(ConfigError);
  });

  it("take NaN in the truth for not known where that is asked for", () => {
    const [pred, truth] = [array([2, 2], 1, 1, 1, 0), array([2, 2], 1, NaN, 0, NaN)];
    expect(() => seg.getConfusionMatrix(pred, truth)).toThrow(DataError);
    const both = [1, 0, 0, 0, 0, NaN, 0, NaN, 0, 1, 0, 0, 0, NaN, 0, NaN];
    expect(values(seg.getConfusionMatrix(pred, truth, { strict: false }))).toEqual(both);
    const second = seg.getConfusionMatrix(pred, truth, { strict: false, includeBackground: false });
    expect(values(second)).toEqual([...both.slice(4, 8), ...both.slice(12)]);
  });

  it("are reduced before or after the rate", () => {
    const metric = new seg.ConfusionMatrixMetric({ metricName: ["tpr", "ppv"], reduction: "sum" });
    metric.append(p, t);
    metric.append(p, p);
    expect(metric.aggregateAll().map((a) => a.value.data[0])).toEqual([5 / 7, 5 / 6]);
    expect(metric.aggregateAll("sum", true).map((a) => a.value.data[0])).toEqual([1.5, 2 / 3 + 1]);
  });
});

describe("label maps", () => {
  const truth = array([1, 2, 4], 0, 1, 1, 2, 2, 2, 9, 9);
  const found = array([1, 2, 4], 0, 1, 2, 2, 2, 0, 1, 2);

  it("as nnU-Net evaluates them, by label and region, without the ignored voxels", () => {
    const { "1": one, "(1, 2)": both } = seg.computeMetrics(truth, found, [1, [1, 2]], { ignoreLabel: 9 });
    expect(one).toEqual({ Dice: 2 / 3, IoU: 0.5, FP: 0, TP: 1, FN: 1, TN: 4, n_pred: 1, n_ref: 2 });
    expect([both.TP, both.FN, both.TN]).toEqual([4, 1, 1]);
    const empty = seg.computeMetrics(truth, found, [7])["7"];
    expect(empty.Dice).toBeNaN();
    const summary = seg.summarizeMetrics([
      { metrics: { "0": one, "1": one, "2": empty } },
      { metrics: { "0": one, "1": both, "2": one } },
    ]);
    expect(summary.mean["1"].Dice).toBeCloseTo((2 / 3 + 8 / 9) / 2, 14);
    expect(summary.foreground_mean.Dice).toBeCloseTo(((2 / 3 + 8 / 9) / 2 + 2 / 3) / 2, 14);
  });

  it("as QuickNAT does", () => {
    expect(values(seg.diceScorePerClass(found, truth, 3))).toEqual([2 / 3.0001, 2 / 4.0001, 4 / 7.0001]);
  });

  it("as cases: rules of what is empty", () => {
    const score = (classValue: number, empty: seg.EmptyRule, prediction = found): number[] =>
      seg.scoreCase(prediction, truth, {
        empty,
        spacing: [1, 1],
        metrics: seg.caseMetricsNamed(["dice", "hd95"]),
        classes: [{ name: "c", values: [classValue] }],
      })[0];
    expect(score(7, "nan")).toEqual([NaN, NaN]);
    expect(score(7, "best")).toEqual([1, 0]);
    const wrong = array([1, 2, 4], 7, 0, 0, 0, 0, 0, 0, 0);
    expect([score(7, "nan", wrong), score(7, "best", wrong), score(7, "skip", wrong)]).toEqual([
      [0, Infinity],
      [0, Infinity],
      [NaN, NaN],
    ]);
    expect(() => score(7, "Best" as "best")).toThrow(/empty must be "nan", "skip" or "best"/);
    const [metrics, classes] = [seg.caseMetricsNamed(["nsd"]), [{ name: "c", values: [1] }]];
    for (const tolerance of [-1, NaN])
      expect(() => seg.scoreCase(found, truth, { metrics, classes, spacing: [1, 1], tolerance })).toThrow(/at least 0/);
    expect(() => seg.caseMetricsNamed(["dise"])).toThrow(/no metric "dise"; known are dice/);
  });

  it("as a comparison: summaries, table, CSV and JSON", () => {
    const info: seg.ComparisonInfo = {
      classes: ["a", "b"],
      metrics: seg.caseMetricsNamed(["dice", "hd"]),
      empty: "nan",
      missing: "empty",
      tolerance: 1,
      bootstrap: { samples: 200, seed: 3 },
    };
    const cases = [
      {
        id: "x,1",
        scores: [
          [0.5, 2],
          [NaN, Infinity],
        ],
      },
      {
        id: "y",
        scores: [
          [1, 4],
          [0.25, 1],
        ],
        missing: true as const,
      },
    ];
    const comparison = seg.compareCases(info, cases, { missingCases: ["y"], surplus: ["z"] });
    const [a, b, all] = comparison.summaries.map((s) => s[0]);
    expect([a.mean, a.std, b.count, all.mean]).toEqual([0.75, Math.sqrt(0.125), 1, (0.5 + 0.625) / 2]);
    expect(comparison.summaries[1][1]).toMatchObject({ count: 1, infinite: 1, mean: 1 });
    expect(seg.compareCases(info, cases).summaries[0][0].interval).toEqual(a.interval);
    expect(seg.comparisonCsv(comparison).split("\n")[2]).toBe('"x,1",b,,,inf');
    expect(JSON.parse(seg.comparisonJson(comparison)).cases[0].classes.b).toEqual({ dice: null, hd: "inf" });
    expect(seg.comparisonLines(comparison).slice(-2)).toEqual([
      "1 without a prediction, scored as empty: y",
      "1 prediction without a truth, left out: z",
    ]);
  });
});

describe("other metrics", () => {
  it("panoptic quality matches instances, below ½ by the best assignment", () => {
    const gt = array([1, 8], 1, 1, 1, 1, 5, 5, 0, 0);
    const pred = array([1, 8], 3, 3, 3, 0, 4, 9, 9, 0);
    expect(seg.countPanoptic(pred, gt)).toEqual({ tp: 1, fp: 2, fn: 1, iouSum: 0.75 });
    expect(seg.countPanoptic(pred, gt, { matchIouThreshold: 0.3 })).toEqual({ tp: 2, fp: 1, fn: 0, iouSum: 1.25 });
    expect(seg.computePanopticQuality(pred, gt, { smoothNumerator: 0 })).toBe(0.75 / 2.5);
  });

  it("an assignment has the greatest sum", () => {
    expect(assign(Float64Array.of(7, 5, 6, 1, 4, 2), 2, 3)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(assign(Float64Array.of(4, 3, 3, 1, 0, 0), 3, 2)).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(assign(new Float64Array(0), 0, 3)).toEqual([]);
  });

  it("rankings count ties half", () => {
    const p = array([4], 0.1, 0.4, 0.4, 0.8);
    const t = array([4], 0, 0, 1, 1);
    expect(seg.computeRocAuc(p, t)).toBe(3.5 / 4);
    expect(seg.computeAveragePrecision(p, t)).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3), 14);
    expect(seg.computeRocAuc(p, array([4], 1, 1, 1, 1))).toBeNaN();
    expect(() => seg.computeRocAuc(p, array([3], 0, 1, 1))).toThrow(ShapeError);
  });

  it("generalized Dice weighs small classes more", () => {
    const [p, t] = [array([1, 2, 4], 1, 1, 1, 1, 0, 1, 0, 0), array([1, 2, 4], 1, 1, 0, 0, 1, 0, 0, 0)];
    expect(values(seg.computeGeneralizedDice(p, t, { sumOverClasses: true }))).toEqual([(2 * 0.25 * 2) / (0.25 * 6 + 2)]);
    expect(() => seg.computeGeneralizedDice(p, t, { weightType: "cubic" as "square" })).toThrow(ConfigError);
  });

  it("errors of images, and their similarity", () => {
    const [p, t] = [array([1, 1, 2, 2], 1, 2, 3, 4), array([1, 1, 2, 2], 1, 0, 3, 8)];
    const of = (metric: seg.CumulativeMetric<any>): number => metric.append(p, t).data[0];
    expect([of(new seg.MSEMetric()), of(new seg.MAEMetric()), of(new seg.RMSEMetric())]).toEqual([5, 1.5, Math.sqrt(5)]);
    expect(of(new seg.PSNRMetric({ maxVal: 10 }))).toBeCloseTo(20 - 10 * Math.log10(5), 12);
    const options = { spatialDims: 2, winSize: 2, kernelType: "uniform", dataRange: 8 } as const;
    expect(new seg.SSIMMetric(options).append(t, t).data[0]).toBeCloseTo(1, 12);
    const [c1, c2] = [0.08 ** 2, 0.24 ** 2];
    const expected = ((2 * 2.5 * 3 + c1) * (2 * 3 + c2)) / ((2.5 ** 2 + 9 + c1) * (1.25 + 9.5 + c2));
    expect(of(new seg.SSIMMetric(options))).toBeCloseTo(expected, 12);
    expect(() => new seg.SSIMMetric({ spatialDims: 2 }).append(p, t)).toThrow(ShapeError);
  });

  it("detections, and the score of their curve", () => {
    const mask = array([3, 3], 1, 1, 0, 0, 0, 0, 0, 2, 2);
    const found = seg.computeFpTpProbs([0.9, 0.8, 0.3], [0, 1, 2], [1, 1, 0], mask);
    expect(found).toEqual({ fpProbs: [0.8, 0.3], tpProbs: [0.9, 0], numTargets: 2 });
    const { fpsPerImage, totalSensitivity } = seg.computeFrocCurveData(found.fpProbs, found.tpProbs, 2, 1);
    expect([fpsPerImage, totalSensitivity]).toEqual([
      [2, 1, 0, 0],
      [0.5, 0.5, 0.5, 0],
    ]);
    expect(seg.computeFrocScore(fpsPerImage, totalSensitivity, [0.5, 8])).toBe(0.5);
    expect(() => seg.computeFpTpProbs([1], [3], [0], mask)).toThrow(DataError);
  });

  it("averages, variance and calibration", () => {
    const average = new seg.CumulativeAverage();
    average.append([1, NaN], 4);
    average.append([2, 3], 6);
    expect([...average.aggregate(), ...average.getCurrent()]).toEqual([1.6, 3, 2, 3]);
    const y = array([2, 1, 1, 2], 1, 2, 3, 2);
    expect(values(new seg.VarianceMetric().run(y))).toEqual([1]);
    expect(values(new seg.LabelQualityScore().run(y, array([2, 1, 1, 2], 0, 2, 3, 0)))).toEqual([1, 2]);
    const sure = seg.calibrationError(array([1, 4], 0.9, 0.9, 0.9, 0.1), array([1, 4], 1, 1, 0, 0), { bins: 10 });
    expect(sure.expected).toBeCloseTo(0.9 - 0.75, 14);
    expect(() => seg.calibrationError(array([1, 1], 3), array([1, 1], 1))).toThrow(DataError);
  });

  it("a Dice helper takes scores, and labeled Dice has names", () => {
    const [scores, t] = [array([1, 2, 3], 2, -1, 0, 1, 3, 0.2), array([1, 2, 3], 1, 0, 0, 0, 1, 1)];
    expect(values(new seg.DiceHelper().run(scores, t).value)).toEqual([1]);
    expect(values(new seg.DiceHelper({ threshold: true, activate: true }).run(scores, t).value)).toEqual([1, 0.8]);
    const metric = new seg.DiceMetric({ returnWithLabel: ["bg", "fg"] });
    metric.append(t, t);
    expect(metric.labeled()).toEqual({ bg: 1, fg: 1 });
    expect(metric.labelled()).toEqual(metric.labeled());
  });
});
