/** @file Scores a channel at a time: resampled, averaged, as probabilities and decided, as with all of them at once. */

import { expect, it } from "vitest";
import { resampleDataOrSegToShape } from "../../../src/data/nnunet/resample.ts";
import { sizeOf } from "../../../src/host/array.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import { parseBytes } from "../../../src/host/text.ts";
import {
  decideScores,
  gathered,
  mappedScores,
  meanScores,
  probabilityMap,
  resampledScores,
  scoresInMemory,
} from "../../../src/seg/inference/score_map.ts";
import { outputCodingOf } from "../../../src/seg/post/output_coding.ts";
import { expectClose } from "../../lib/compare.ts";

const scores = (seed: number, ...shape: number[]) => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => 3 * Math.sin(seed + 1.7 * i)),
  shape,
});
const labels = [0, 1, 2, 5].map((v) => ({ name: `label ${v}`, values: [v] }));
const classes = outputCodingOf("softmax", labels);

it("decides on the source's grid as all classes at once do, a thick axis on its own", () => {
  const x = scores(1, 4, 6, 7, 5);
  const [shape, from, to] = [
    [9, 8, 11],
    [2, 2, 9],
    [1.5, 1.8, 4],
  ];
  const all = resampleDataOrSegToShape(x, shape, from, to, { order: 1, orderZ: 0, forceSeparateZ: null });
  const map = resampledScores(scoresInMemory(x), shape, from, to);
  expect(gathered(map)).toEqual(all);
  const decided = decideScores(map, classes);
  expect(decided).toEqual({ data: classes.decide({ data: all.data, shape: [1, 4, ...shape] }).data, shape: [1, ...shape] });
});

it("gives probabilities: softmax, sigmoid, and background where nothing was predicted", () => {
  const x = scores(2, 4, 3, 2, 2);
  const outside = mappedScores(scoresInMemory(x), [3, 2, 2], ({ data }) => ({
    data: data.map((v, i) => (i === 5 ? -Infinity : v)),
    shape: [1, 3, 2, 2],
  }));
  const { data } = gathered(probabilityMap(outside, "softmax"));
  const wanted = new Float32Array(48);
  for (let i = 0; i < 12; i++) {
    const total = [0, 1, 2, 3].reduce((sum, c) => sum + Math.exp(x.data[c * 12 + i]), 0);
    for (let c = 0; c < 4; c++) wanted[c * 12 + i] = i === 5 ? Number(c === 0) : Math.exp(x.data[c * 12 + i]) / total;
  }
  expectClose("softmax", data, wanted, 1e-6);
  expect(decideScores(outside, classes).data[5]).toBe(0);
  const single = gathered(probabilityMap(scoresInMemory(scores(1, 1, 2, 2, 2)), "sigmoid")).data;
  expectClose(
    "sigmoid",
    single,
    scores(1, 1, 2, 2, 2).data.map((v) => 1 / (1 + Math.exp(-v))),
    1e-6,
  );
});

it("averages models, in logits and in probabilities", () => {
  const [a, b] = [scores(1, 3, 4, 4, 2), scores(5, 3, 4, 4, 2)];
  const regions = outputCodingOf("regions", labels);
  const mean = meanScores([scoresInMemory(a), scoresInMemory(b)]);
  expectClose(
    "mean",
    gathered(mean).data,
    a.data.map((v, i) => (v + b.data[i]) / 2),
    1e-6,
  );
  const chances = meanScores([a, b].map((x) => probabilityMap(scoresInMemory(x), "regions")));
  const logits = gathered(chances).data.map((p) => Math.log(p / (1 - p)));
  expect(decideScores(chances, regions, 0.5).data).toEqual(
    decideScores(scoresInMemory({ data: logits, shape: a.shape }), regions).data,
  );
  expect(() => meanScores([scoresInMemory(a), scoresInMemory(scores(1, 3, 4, 4, 3))])).toThrow(ShapeError);
  expect(() => meanScores([])).toThrow(ConfigError);
  expect(() => decideScores(mean, classes)).toThrow(ShapeError);
});

it("reads sizes", () => {
  const texts = ["512MiB", "1.5 GiB", "2g", "100", "3kB", "1e9", "-1", "GiB"];
  expect(texts.map(parseBytes)).toEqual([2 ** 29, 1.5 * 2 ** 30, 2 ** 31, 100, 3072, undefined, undefined, undefined]);
});
