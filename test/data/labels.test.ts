/** @file The table of classes, as the Decathlon and nnU-Net write it. */
import { describe, expect, test } from "vitest";
import { parseLabels } from "../../src/data/labels.ts";
import { failing } from "../../src/host/bytes/budget.ts";
import { FormatError } from "../../src/host/errors.ts";

const fail = failing("dataset.json");

test("names under numbers, numbers under names, and regions", () => {
  expect(parseLabels({ "0": "background", "2": "left" }, fail)).toEqual([
    { name: "background", values: [0] },
    { name: "left", values: [2] },
  ]);
  expect(parseLabels({ background: 0, whole: [1, 2, 3], core: [2, 3] }, fail)).toEqual([
    { name: "background", values: [0] },
    { name: "whole", values: [1, 2, 3] },
    { name: "core", values: [2, 3] },
  ]);
});

test("numbers as strings", () => {
  expect(parseLabels({ background: "0", whole: ["1", "2"] }, fail)).toEqual([
    { name: "background", values: [0] },
    { name: "whole", values: [1, 2] },
  ]);
  // A name that is a number stays a name.
  expect(parseLabels({ "0": "background", "1": "17" }, fail)[1]).toEqual({ name: "17", values: [1] });
});

test("nnU-Net's order of regions, and its label to ignore", () => {
  const labels = { background: 0, whole: [1, 2, 3], core: [2, 3], active: [3], ignore: 4 };
  expect(parseLabels(labels, fail, [1, 2, 3]).slice(1)).toEqual([
    { name: "whole", values: [1, 2, 3], writes: 1 },
    { name: "core", values: [2, 3], writes: 2 },
    { name: "active", values: [3], writes: 3 },
    { name: "ignore", values: [4], ignore: true },
  ]);
  expect(() => parseLabels(labels, fail, [1, 2])).toThrow(/regions_class_order is \[1,2\]; expected .* whole, core, active/);
  expect(() => parseLabels(labels, fail, "abc")).toThrow(FormatError);
  // Plain classes write their own values; nnU-Net does not look at the order either.
  expect(parseLabels({ background: 0, a: 1 }, fail, [7])[1]).toEqual({ name: "a", values: [1] });
  expect(parseLabels({ "0": "background", "1": "a", "255": "ignore" }, fail)[2].ignore).toBe(true);
});

describe("refuses", () => {
  test.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /labels is missing or not an object/],
    ["a list", ["background"], /labels is missing or not an object/],
    ["a name under no number", { background: "0", one: "x" }, /labels\["one"\] is "x"/],
    ["two classes of one value", { background: 0, a: 1, b: 1 }, /"a" and "b" have the same value, 1/],
    ["several values to ignore", { background: 0, a: 1, ignore: [2, 3] }, /"ignore" marks voxels to leave out/],
    ["a class to ignore", { background: 0, a: [1, 2], ignore: 2 }, /"a" and "ignore" have the same value/],
    ["an empty region", { background: 0, whole: [] }, /labels\["whole"\] is \[\]/],
    ["fractions", { background: 0, half: 0.5 }, /labels\["half"\] is 0.5/],
    ["negative values", { background: 0, hole: -1 }, /labels\["hole"\] is -1/],
    ["no background", { "1": "left" }, /no class with value 0/],
  ])("%s", (_name, json, message) => {
    expect(() => parseLabels(json, fail)).toThrow(FormatError);
    expect(() => parseLabels(json, fail)).toThrow(message);
  });
});
