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

describe("refuses", () => {
  test.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /labels is missing or not an object/],
    ["a list", ["background"], /labels is missing or not an object/],
    ["a name under no number", { background: "0", one: "x" }, /labels\["background"\] is "0"/],
    ["an empty region", { background: 0, whole: [] }, /labels\["whole"\] is \[\]/],
    ["fractions", { background: 0, half: 0.5 }, /labels\["half"\] is 0.5/],
    ["negative values", { background: 0, hole: -1 }, /labels\["hole"\] is -1/],
    ["no background", { "1": "left" }, /no class with value 0/],
  ])("%s", (_name, json, message) => {
    expect(() => parseLabels(json, fail)).toThrow(FormatError);
    expect(() => parseLabels(json, fail)).toThrow(message);
  });
});
