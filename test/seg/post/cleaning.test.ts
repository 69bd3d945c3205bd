/** @file Cleaning of label maps: steps, nnU-Net's decision, ensembles of volumes, volumes of labels. */
import { describe, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/volume.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import { determinePostprocessing } from "../../../src/seg/post/determine.ts";
import { meanOfVolumes, regionsToLabels, voteOfLabels } from "../../../src/seg/post/ensemble.ts";
import { caseMetricsNamed, scoreCase } from "../../../src/seg/metrics/case_metrics.ts";
import { removeAllButLargestComponentFromSegmentation } from "../../../src/seg/post/keep_largest.ts";
import { labelVolumes, volumesCsv } from "../../../src/seg/post/label_volumes.ts";
import { checkSteps, type PostStep, postprocess } from "../../../src/seg/post/steps.ts";
import { surfaceOf } from "../../../src/seg/post/surface.ts";
import { enclosedVolume } from "../../../src/host/grid/mesh.ts";

/** A label map `[1, rows, columns, 1]` drawn as text. */
const draw = (...rows: string[]): HostArray<Uint8Array> => ({
  data: Uint8Array.from(rows.join(""), Number),
  shape: [1, rows.length, rows[0].length, 1],
});
const text = ({ data, shape }: HostArray) =>
  Array.from({ length: shape[1] }, (_, r) => [...data.subarray(r * shape[2], (r + 1) * shape[2])].join(""));

const map = draw("1110022", "1010002", "1110000", "0000101", "2200111");

describe("steps", () => {
  const noPart = ["0000000", "0000000"];
  const part = ["0000101", "0000111"];
  test.each<[string, PostStep, string[]]>([
    ["the largest of each label", { step: "keepLargest" }, ["1110022", "1010002", "1110000", ...noPart]],
    ["the largest of all", { step: "keepLargest", labels: [1, 2] }, ["1110000", "1010000", "1110000", ...noPart]],
    ["what is not small, in voxels of 2 mm³", { step: "removeSmall", mm3: 5 }, ["1110022", "1010002", "1110000", ...part]],
    ["all, since a plane has no holes", { step: "fillHoles" }, text(map)],
  ])("keep %s", (_name, step, expected) => {
    expect(text(postprocess(map, [1, 2, 1], [step]))).toEqual(expected);
  });

  test("fill what a label encloses", () => {
    const data = new Uint8Array(125).fill(0);
    for (let i = 0; i < 125; i++)
      if ([Math.floor(i / 25), Math.floor(i / 5) % 5, i % 5].every((c) => c > 0 && c < 4)) data[i] = 3;
    const full = data.slice();
    data[62] = 0;
    expect(postprocess({ data, shape: [1, 5, 5, 5] }, [1, 1, 1], [{ step: "fillHoles", labels: [3] }]).data).toEqual(full);
    expect(postprocess({ data, shape: [1, 5, 5, 5] }, [1, 1, 1], [{ step: "fillHoles", labels: [2] }]).data).toEqual(data);
  });

  test("come one after the other and leave the input as it is", () => {
    const before = text(map);
    const steps: PostStep[] = [{ step: "removeSmall", mm3: 6 }, { step: "keepLargest" }];
    expect(text(postprocess(map, [1, 1, 1], steps))).toEqual(["1110000", "1010000", "1110000", "0000000", "0000000"]);
    expect(text(map)).toEqual(before);
  });

  test("that are read from a file are checked", () => {
    expect(checkSteps([{ step: "keepLargest", labels: [1] }], "a.json").length).toBe(1);
    for (const bad of [{}, [{}], [null], [{ step: "dilate" }], [{ step: "removeSmall" }], [{ step: "keepLargest", labels: "1" }]])
      expect(() => checkSteps(bad, "a.json")).toThrow(ConfigError);
  });
});

test("of largest components that are equally large all stay, as in nnU-Net", () => {
  const equal = draw("1100", "0000", "0011", "0000", "1000");
  expect(text(removeAllButLargestComponentFromSegmentation(equal, 1))).toEqual(["1100", "0000", "0011", "0000", "0000"]);
  expect(text(removeAllButLargestComponentFromSegmentation(equal, [1], 7))[4]).toBe("7000");
});

describe("nnU-Net's decision", () => {
  const decide = (cases: readonly (readonly [HostArray, HostArray])[], labels = [[1], [2]]) =>
    determinePostprocessing(cases.length, async (i) => ({ prediction: cases[i][0], truth: cases[i][1] }), {
      labelsOrRegions: labels,
    });

  test("all classes together where a false island goes and none suffers", async () => {
    const found = await decide([[draw("112200", "112200", "000000", "000001"), draw("112200", "112200", "000000", "000000")]]);
    expect(found.keepLargest).toEqual([[1, 2]]);
    expect(found.before[0]).toBeCloseTo(8 / 9);
    expect(found.after).toEqual([1, 1]);
  });

  test("one class alone where another has two true parts", async () => {
    const truth = draw("1100002", "1100000", "0000002", "0000002");
    const found = await decide([[draw("1100002", "1100000", "0000002", "1000002"), truth]]);
    expect(found.keepLargest).toEqual([[1]]);
    expect(found.after).toEqual([1, 1]);
  });

  test("nothing where nothing rises, or no case has the class", async () => {
    const truth = draw("1100", "0000", "0011");
    expect((await decide([[truth, truth]])).keepLargest).toEqual([]);
    expect((await decide([[truth, truth]])).before).toEqual([1, NaN]);
    await expect(decide([[truth, draw("10")]])).rejects.toThrow(ShapeError);
  });
});

describe("ensembles of volumes", () => {
  const volume = (values: number[], x = 0) =>
    makeVolume({ data: Float32Array.from(values), shape: [1, values.length, 1, 1] }, [
      [2, 0, 0, x],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);

  test("mean, with weights, in the geometry of the first", () => {
    const mean = meanOfVolumes([volume([0, 1]), volume([1, 0])], [3, 1]);
    expect([...mean.data]).toEqual([0.25, 0.75]);
    expect(mean.spacing).toEqual([2, 1, 1]);
  });

  test("vote of any labels, the least of equally frequent ones", () => {
    expect([...voteOfLabels([volume([7, 300, 2]), volume([7, 5, 1]), volume([0, 5, 0])]).data]).toEqual([7, 5, 0]);
  });

  test("a vote keeps labels that the first map's element type has no room for", () => {
    const [bytes, shorts] = [Uint8Array, Int16Array].map((Type) => (...values: number[]) => {
      return { ...volume(values), data: Type.from(values) };
    });
    const wide = voteOfLabels([bytes(1, 2), shorts(300, 2), shorts(300, 3)]);
    expect(wide.data).toEqual(Int16Array.of(300, 2));
    expect(voteOfLabels([bytes(1, 2), shorts(1, 2)]).data).toEqual(Uint8Array.of(1, 2));
    expect(voteOfLabels([shorts(-1, 0), bytes(200, 0), volume([0.5, 0]), volume([0.5, 0])]).data).toEqual(
      Float32Array.of(0.5, 0),
    );
  });

  test("refuse other grids", () => {
    expect(() => voteOfLabels([volume([1]), volume([1], 5)])).toThrow(DataError);
    expect(() => voteOfLabels([volume([1]), volume([1, 2])])).toThrow(ShapeError);
    expect(() => meanOfVolumes([])).toThrow(ShapeError);
  });

  test("regions are written in their order", () => {
    const regions = { data: Float32Array.of(1, 1, 1, 0, 1, 1, 0, 0, 0, 0.6, 0.4, 0), shape: [3, 4] };
    expect([...regionsToLabels(regions, [1, 2, 3]).data]).toEqual([2, 3, 1, 0]);
    expect(() => regionsToLabels(regions, [1, 2])).toThrow(ConfigError);
    for (const value of [1.5, NaN, 2 ** 40]) expect(() => regionsToLabels(regions, [1, 2, value])).toThrow(ConfigError);
  });
});

test("volumes of labels and their table", () => {
  const classes = [
    { name: "background", values: [0] },
    { name: "one, large", values: [1] },
    { name: "both", values: [1, 2] },
  ];
  const rows = labelVolumes("a", map, [2, 2, 2.5], classes);
  expect(rows.map((r) => [r.voxels, r.milliliters])).toEqual([
    [13, 0.13],
    [18, 0.18],
  ]);
  for (const spacing of [[NaN, 1, 1], [-1, 1, 1], [1, 1]]) expect(() => labelVolumes("a", map, spacing, classes)).toThrow(DataError); // prettier-ignore
  const table = volumesCsv(rows);
  expect(table).toBe('case,label,voxels,ml\na,"one, large",13,0.1300\na,both,18,0.1800\n');
  const more = volumesCsv(labelVolumes("b", map, [1, 1, 1], classes), table);
  expect(
    volumesCsv(rows, more)
      .split("\n")
      .map((line) => line.split(",")[0]),
  ).toEqual(["case", "b", "b", "a", "a", ""]);
});

test("volumes on a sheared grid, as a gantry that is tilted by 20° leaves, are those of its voxels", () => {
  const [tilt, apart] = [Math.PI / 9, 5];
  const affine = [
    [0.5, 0, 0, 0],
    [0, 0.5, apart * Math.sin(tilt), 0],
    [0, 0, apart * Math.cos(tilt), 0],
    [0, 0, 0, 1],
  ];
  const labels = makeVolume({ data: new Uint8Array(4000).fill(1), shape: [1, 10, 20, 20] }, affine);
  const [{ voxels, milliliters }] = labelVolumes("a", labels, labels.spacing, [{ name: "all", values: [1] }]);
  const each = 0.5 * 0.5 * apart * Math.cos(tilt);
  expect(voxels).toBe(4000);
  expect(milliliters).toBeCloseTo(4 * each, 9);
  const classes = [{ name: "all", values: [1] }];
  const metrics = caseMetricsNamed(["volume"]);
  expect(scoreCase(labels, labels, { metrics, classes, spacing: labels.spacing })[0][0]).toBeCloseTo(4 * each, 9);
  expect(scoreCase(labels, labels, { metrics, classes, spacing: [1, 1, 1] })[0][0]).toBeCloseTo(4, 9);
  const kept = (mm3: number) =>
    postprocess(labels, labels.spacing, [{ step: "fillHoles" }, { step: "removeSmall", mm3 }]).data.includes(1);
  expect([kept(3999 * each), kept(4001 * each)]).toEqual([true, false]);
});

describe("surfaceOf", () => {
  const affine = [
    [-2, 0, 0, 30],
    [0, 2, 0, -10],
    [0, 0, 3, 5],
    [0, 0, 0, 1],
  ];
  const size = [14, 12, 10];
  const block = Uint8Array.from({ length: 14 * 12 * 10 }, (_, i) => {
    const [x, y, z] = [Math.floor(i / 120), Math.floor(i / 10) % 12, i % 10];
    return x >= 3 && x < 9 && y >= 2 && y < 10 && z >= 4 ? 5 : 0;
  });
  const labels = makeVolume({ data: block, shape: [1, ...size] }, affine);

  test("lies where the label lies, in millimeters, closed at the border", () => {
    const mesh = surfaceOf(labels, { labels: 5 });
    const range = (axis: number) => {
      const values = mesh.vertices.filter((_, i) => i % 3 === axis);
      return [Math.min(...values), Math.max(...values)];
    };
    expect([range(0), range(1), range(2)]).toEqual([
      [30 - 2 * 8.5, 30 - 2 * 2.5],
      [-10 + 2 * 1.5, -10 + 2 * 9.5],
      [5 + 3 * 3.5, 5 + 3 * 9.5],
    ]);
    // The box of the voxels less what its edges and corners lose.
    expect(enclosedVolume(mesh) / (12 * 16 * 18)).toBeGreaterThan(0.95);
    expect(enclosedVolume(mesh) / (12 * 16 * 18)).toBeLessThan(1);
  });

  test("of a probability equals that of the label at ½", () => {
    const probability = makeVolume({ data: Float32Array.from(block, (v) => v / 5), shape: [1, ...size] }, affine);
    expect(enclosedVolume(surfaceOf(probability))).toBeCloseTo(enclosedVolume(surfaceOf(labels, { labels: [5] })), 3);
  });

  test("refuses what is not there", () => {
    expect(() => surfaceOf(labels, { labels: 4 })).toThrow(DataError);
    expect(() => surfaceOf(labels, { channel: 1 })).toThrow(ShapeError);
    expect(() => surfaceOf(labels, { label: 5 } as never)).toThrow(ConfigError);
  });
});

test("the volume of voxels whose header counts in micrometers or meters", () => {
  const data = new Uint8Array(1000).fill(1);
  for (const [units, ml] of [
    ["um", 1e-9],
    ["mm", 1],
    ["m", 1e9],
  ] as const) {
    const labels = makeVolume({ data, shape: [1, 10, 10, 10] }, undefined, { units });
    const [{ milliliters }] = labelVolumes("a", labels, labels.spacing, [{ name: "all", values: [1] }]);
    expect(milliliters / ml).toBeCloseTo(1, 9);
    const classes = [{ name: "all", values: [1] }];
    const [[volume]] = scoreCase(labels, labels, { metrics: caseMetricsNamed(["volume"]), classes, spacing: labels.spacing });
    expect(volume / ml).toBeCloseTo(1, 9);
    const stays = (mm3: number) => postprocess(labels, labels.spacing, [{ step: "removeSmall", mm3 }]).data.includes(1);
    expect([stays(999 * ml), stays(1001 * ml)]).toEqual([true, false]);
  }
});
