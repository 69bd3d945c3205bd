/** @file Detection by LUNA16's rule: hits, several on one target, misses, and the free-response curve, by hand. */

import { expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import {
  caseMetricsNamed,
  type Candidate,
  countLesions,
  scoreCase,
  detectionLines,
  summarizeDetections,
  lunaRates,
  matchCandidates,
} from "../../../src/seg/index.ts";

const found = (x: number, score: number): Candidate => ({ center: [x, 0, 0], diameter: 5, score });
const there = (x: number, diameter: number) => ({ center: [x, 0, 0], diameter });

test("a hit is within the radius; the best of several counts, the others count as nothing", () => {
  const targets = [there(0, 10), there(20, 4), there(40, 8)];
  const match = matchCandidates([found(5, 0.6), found(-1, 0.9), found(22.5, 0.8), found(60, 0.3)], targets);
  expect(match).toEqual({ fpProbs: [0.8, 0.3], tpProbs: [0.9, 0, 0], numTargets: 3 });
  // Between two targets the nearer one is hit.
  expect(matchCandidates([found(4, 0.5)], [there(0, 20), there(6, 20)]).tpProbs).toEqual([0, 0.5]);
  expect(() => matchCandidates([found(0, 1)], [{ center: [0, 0], diameter: 1 }])).toThrow(ShapeError);
});

test("the curve and what is read from it", () => {
  const a = matchCandidates([found(0, 0.9), found(30, 0.7)], [there(0, 4)]);
  const b = matchCandidates([found(0, 0.5), found(50, 0.2)], [there(0, 4)]);
  const summary = summarizeDetections([a, b]);
  expect(summary.curve).toEqual([
    [0, 0],
    [0, 0.5],
    [0.5, 0.5],
    [0.5, 1],
    [1, 1],
  ]);
  expect([summary.sensitivity, summary.falsePositivesPerImage]).toEqual([1, 1]);
  expect(summary.atRates[lunaRates.indexOf(1)]).toBe(1);
  expect(summary.atRates[0]).toBe(0.5);
  expect(detectionLines(summary)[0]).toMatch(/2 scans with 2 targets: of all candidates 1.000 sensitivity, 1.00 false/);
});

test("what is missed stays missed, and nothing found is no error", () => {
  const { sensitivity, atRates, curve } = summarizeDetections([matchCandidates([], [there(0, 4)]), matchCandidates([], [])]);
  expect([sensitivity, Math.max(...atRates), curve]).toEqual([0, 0, [[0, 0]]]);
});

test("lesions are components, found where one voxel, or a share, is predicted", () => {
  const mask = (text: string) => ({ data: Uint8Array.from(text.replaceAll(/\s/g, ""), Number), shape: [1, 3, 8] });
  const truth = mask(`
    11000011
    11000000
    00010000`);
  const prediction = mask(`
    10000000
    00000000
    00001001`);
  expect(countLesions(prediction, truth)).toEqual({ lesions: 3, found: 1, predicted: 3, falsePositives: 2 });
  expect(countLesions(prediction, truth, { overlap: 0.5 })).toMatchObject({ found: 0, falsePositives: 2 });
  for (const overlap of [NaN, -0.1, 2]) expect(() => countLesions(prediction, truth, { overlap })).toThrow(ConfigError);
  // Diagonal neighbors belong together, or do not.
  const diagonal = mask(`10000000 01000000 00000000`);
  expect(countLesions(diagonal, truth).predicted).toBe(1);
  expect(countLesions(diagonal, truth, { connectivity: 4 })).toEqual({ lesions: 3, found: 1, predicted: 2, falsePositives: 0 });
  expect(() => countLesions(prediction, { data: truth.data, shape: [3, 8] })).toThrow(ShapeError);

  const [wanted, got] = [truth, prediction].map(({ data }) => ({ data, shape: [1, 1, 3, 8] }));
  const options = { classes: [{ name: "lesion", values: [1] }], spacing: [1, 1, 1] };
  const rows = caseMetricsNamed(["lesionsensitivity", "lesionprecision", "lesionf1", "falselesions"]);
  expect(scoreCase(got, wanted, { metrics: rows, ...options })).toEqual([[1 / 3, 1 / 3, 1 / 3, 2]]);
  const empty = { data: new Uint8Array(24), shape: wanted.shape };
  expect(scoreCase(got, empty, { metrics: rows, ...options })).toEqual([[NaN, 0, 0, 3]]);
  expect(scoreCase(empty, empty, { metrics: rows, ...options })).toEqual([[NaN, NaN, NaN, NaN]]);
});
