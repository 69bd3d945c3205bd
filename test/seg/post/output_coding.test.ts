/** @file What outputs mean: regions that overlap in any way, in nnU-Net's order or ours, and voxels that do not count. */

import { describe, expect, test } from "vitest";
import { type LabelClass, parseLabels } from "../../../src/data/labels.ts";
import { failing } from "../../../src/host/bytes/budget.ts";
import { diceOfLabels } from "../../../src/seg/metrics/label_dice.ts";
import { outputCodingOf, outputKindOf } from "../../../src/seg/post/output_coding.ts";

const labelsOf = (json: object, order?: readonly number[]) => parseLabels(json, failing("dataset.json"), order);
const map = (...values: number[]) => ({ data: Uint8Array.from(values), shape: [1, values.length, 1, 1] });

/** What a network says that knows the truth. */
function perfect(labels: readonly LabelClass[], truth: ReturnType<typeof map>) {
  const coding = outputCodingOf(outputKindOf(labels), labels);
  const masks = coding.target(truth);
  const logits = { data: masks.data.map((v) => (v ? 5 : -5)), shape: [1, ...masks.shape] };
  const found = coding.decide(logits);
  return { values: [...found.data], dice: diceOfLabels(found, truth, coding.foreground, coding.ignore) };
}

describe("regions", () => {
  test.each<[string, object, number[], number[] | undefined]>([
    ["nested", { background: 0, whole: [1, 2, 3], core: [2, 3], active: 3 }, [0, 1, 2, 3], undefined],
    ["of which one is a class of the other", { background: 0, hippocampus: [1, 2], anterior: 1 }, [0, 1, 2], undefined],
    ["small ones first", { background: 0, active: [3], core: [2, 3], whole: [1, 2, 3] }, [0, 1, 2, 3], undefined],
    ["overlapping", { background: 0, a: [1, 2], b: [2, 3] }, [0, 1, 2, 3], undefined],
    ["a union alone", { background: 0, union: [1, 2], other: 3 }, [0, 1, 2, 3], undefined],
    ["in the dataset's order", { background: 0, whole: [1, 2, 3], core: [2, 3], active: 3 }, [0, 1, 2, 3], [1, 2, 3]],
    ["with voxels to ignore", { background: 0, whole: [1, 2], core: 2, ignore: 9 }, [0, 1, 9, 2, 9], undefined],
  ])("%s: a perfect prediction scores 1", (_name, json, truth, order) => {
    const { dice } = perfect(labelsOf(json, order), map(...truth));
    expect(dice).toEqual(dice.map(() => 1));
  });

  test("write the values that tell them apart", () => {
    expect(perfect(labelsOf({ background: 0, hippocampus: [1, 2], anterior: 1 }), map(0, 1, 2)).values).toEqual([0, 1, 2]);
    expect(perfect(labelsOf({ background: 0, whole: [1, 2, 3], core: [2, 3], active: 3 }), map(3, 2, 1, 0)).values).toEqual([
      3, 2, 1, 0,
    ]);
  });

  test("write what regions_class_order says, later ones over earlier ones", () => {
    const labels = labelsOf({ background: 0, whole: [1, 2, 3], core: [2, 3], active: 3 }, [7, 300, 9]);
    expect(perfect(labels, map(0, 1, 2, 3)).values).toEqual([0, 7, 300, 9]);
  });
});

test("ignored voxels are no class: they are marked, never written, and do not score", () => {
  const labels = labelsOf({ background: 0, ball: 1, ignore: 255 });
  const coding = outputCodingOf(outputKindOf(labels), labels);
  expect([coding.kind, coding.channels, coding.ignore, coding.foreground.map((l) => l.name)]).toEqual([
    "sigmoid",
    1,
    255,
    ["ball"],
  ]);
  const truth = map(0, 1, 255, 255);
  expect([...coding.target(truth).data]).toEqual([0, 1, 0, 0]);
  expect(coding.ignored(truth)).toEqual({ data: Float32Array.of(0, 0, 1, 1), shape: [1, 4, 1, 1] });
  expect(diceOfLabels(map(0, 1, 1, 0), truth, coding.foreground, coding.ignore)).toEqual([1]);
  expect(diceOfLabels(map(0, 1, 1, 0), map(0, 1, 0, 0), coding.foreground, coding.ignore)[0]).toBeCloseTo(2 / 3);
  const plain = outputCodingOf("sigmoid", labelsOf({ background: 0, ball: 1 }));
  expect(plain.ignored(truth)).toBeUndefined();
});

test("three classes and an ignored one make three channels", () => {
  const labels = labelsOf({ a: 1, ignore: 3, background: 0, b: 2 });
  const coding = outputCodingOf(outputKindOf(labels), labels);
  expect([coding.kind, coding.channels]).toEqual(["softmax", 3]);
});
