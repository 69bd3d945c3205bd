/** @file Dice and IoU: values by hand, empty labels, reductions, what is refused. */

import { describe, expect, it } from "vitest";
import { computeDice, DiceMetric } from "../../../src/seg/metrics/mean_dice.ts";
import { computeIou, MeanIoU } from "../../../src/seg/metrics/mean_iou.ts";
import { reduceMetric } from "../../../src/seg/metrics/reduction.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";

const masks = (shape: number[], ...data: number[]): HostArray => ({ data: Uint8Array.from(data), shape });
const values = (a: HostArray): number[] => Array.from(a.data);

// Two samples, two classes, four voxels. Dice: 2·1/(2+1), empty label | 2·2/(4+2), 2·2/(2+2).
const pred = masks([2, 2, 2, 2], 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0);
const label = masks([2, 2, 2, 2], 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0);

describe("computeDice and computeIou", () => {
  it("score every sample and class, NaN where the label is empty", () => {
    expect(values(computeDice(pred, label))).toEqual([2 / 3, NaN, 2 / 3, 1]);
    expect(values(computeIou(pred, label))).toEqual([1 / 2, NaN, 1 / 2, 1]);
  });

  it("score empty labels when asked: 1 if nothing was predicted, else 0", () => {
    expect(values(computeDice(pred, label, { ignoreEmpty: false }))).toEqual([2 / 3, 0, 2 / 3, 1]);
    const none = masks([1, 1, 2], 0, 0);
    expect(values(computeDice(none, none, { ignoreEmpty: false }))).toEqual([1]);
    expect(values(computeIou(none, none, { ignoreEmpty: false }))).toEqual([1]);
  });

  it("leave the background out, but never the only class", () => {
    expect(computeDice(pred, label, { includeBackground: false })).toEqual({ data: Float64Array.of(NaN, 1), shape: [2, 1] });
    const one = masks([1, 1, 3], 1, 1, 0);
    expect(values(computeDice(one, one, { includeBackground: false }))).toEqual([1]);
  });

  it("take class indices on either side", () => {
    const indices = masks([1, 1, 4], 0, 1, 2, 2);
    const truth = masks([1, 1, 4], 0, 1, 1, 2);
    const oneHot = masks([1, 3, 4], 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1);
    const expected = [1, 2 / 3, 2 / 3];
    expect(values(computeDice(indices, truth, { numClasses: 3 }))).toEqual(expected);
    expect(values(computeDice(indices, oneHot, { numClasses: 3 }))).toEqual(expected);
    expect(values(computeDice(oneHot, indices))).toEqual(expected);
  });

  it("refuse soft masks and unknown classes, or count non-zero when not strict", () => {
    const soft: HostArray = { data: Float32Array.of(0.3, 0, 1, 0, 0, 1), shape: [1, 2, 3] };
    expect(() => computeDice(soft, soft)).toThrow(DataError);
    expect(() => computeDice(soft, soft)).toThrow(/yPred holds 0\.30\d* at flat index 0; expected a mask of 0 and 1/);
    expect(values(computeDice(soft, soft, { strict: false }))).toEqual([1, 1]);
    const nan: HostArray = { data: Float32Array.of(NaN, 0), shape: [1, 1, 2] };
    expect(() => computeDice(nan, nan)).toThrow(DataError);
    const classes = masks([1, 1, 2], 0, 7);
    expect(() => computeDice(classes, classes, { numClasses: 3 })).toThrow(/class indices 0…2/);
  });

  it("refuse class-index maps without a channel axis instead of scoring above 1", () => {
    const maps = masks([2, 2, 2], 0, 1, 3, 2, 0, 1, 3, 2); // [N, H, W] read as [N, C, W]
    expect(() => computeDice(maps, maps)).toThrow(/class indices as \[N, 1, \.\.\.spatial\]/);
  });

  it("refuse shapes that do not agree", () => {
    expect(() => computeDice(masks([1, 2], 0, 1), masks([1, 2], 0, 1))).toThrow(ShapeError);
    expect(() => computeDice(pred, masks([2, 2, 4], ...new Array<number>(16).fill(0)))).toThrow(/\[2,2,2,2\] but y is \[2,2,4\]/);
    expect(() => computeDice(pred, pred, { numClasses: 3 })).toThrow(/yPred has 2 channels; expected 3/);
    expect(() => computeDice(pred, pred, { numClasses: 0 })).toThrow(ConfigError);
  });
});

describe("reduceMetric", () => {
  const scores: HostArray = { data: Float64Array.of(0.5, NaN, 1, 0.25, NaN, NaN), shape: [3, 2] };
  it.each([
    ["mean", [(0.5 + 0.625) / 2], [1], [2], []],
    ["sum", [1.75], [], [3], []],
    ["mean_batch", [0.75, 0.25], [2], [2, 1], [2]],
    ["sum_batch", [1.5, 0.25], [2], [2, 1], [2]],
    ["mean_channel", [0.5, 0.625, 0], [3], [1, 2, 0], [3]],
    ["sum_channel", [0.5, 1.25, 0], [3], [1, 2, 0], [3]],
    ["none", values(scores), [3, 2], [1, 0, 1, 1, 0, 0], [3, 2]],
  ] as const)("%s", (reduction, value, shape, notNans, countShape) => {
    const got = reduceMetric(scores, reduction);
    expect(got.value).toEqual({ data: Float64Array.from(value), shape });
    expect(got.notNans).toEqual({ data: Float64Array.from(notNans), shape: countShape });
  });

  it("gives 0 with a count of 0 when every score is NaN", () => {
    const got = reduceMetric({ data: Float64Array.of(NaN), shape: [1, 1] }, "mean");
    expect([values(got.value), values(got.notNans)]).toEqual([[0], [0]]);
  });

  it("names the reductions it has", () => {
    expect(() => reduceMetric(scores, "median" as never)).toThrow(/mean_batch/);
  });
});

describe("DiceMetric and MeanIoU", () => {
  it("aggregate over all batches and start again after reset", () => {
    const metric = new DiceMetric({ reduction: "mean_batch" });
    expect(values(metric.append(pred, label))).toEqual([2 / 3, NaN, 2 / 3, 1]);
    metric.append(label, label);
    expect(values(metric.aggregate().value)).toEqual([(2 / 3 + 2 / 3 + 1 + 1) / 4, 1]);
    expect(metric.aggregate("none").value.shape).toEqual([4, 2]);
    metric.reset();
    expect(() => metric.aggregate()).toThrow(DataError);
    metric.append(label, label);
    expect(values(metric.aggregate("mean").value)).toEqual([1]);
  });

  it("MeanIoU likewise", () => {
    const metric = new MeanIoU();
    metric.append(pred, label);
    expect(values(metric.aggregate().value)).toEqual([(0.5 + 0.75) / 2]);
  });

  it("refuse batches with another number of classes", () => {
    const metric = new DiceMetric();
    metric.append(pred, label);
    const one = masks([1, 1, 2], 1, 0);
    expect(() => metric.append(one, one)).toThrow(ShapeError);
  });
});
