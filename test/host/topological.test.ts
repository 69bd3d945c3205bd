/** @file Order of a graph: inputs first, each node once, cycles named, depth without end. */

import { expect, test } from "vitest";
import { inputsFirst } from "../../src/host/topological.ts";

const graph: Readonly<Record<string, readonly string[]>> = {
  loss: ["sum", "weight"],
  sum: ["left", "right"],
  left: ["image", "weight"],
  right: ["image"],
  image: [],
  weight: [],
  unread: ["image"],
};
const order = (roots: readonly string[], of = graph) => inputsFirst(roots, (n) => of[n], (n) => new Error(`cycle at ${n}`)); // prettier-ignore

test("inputs come first, in their order, each once; what no root needs is left out", () => {
  expect(order(["loss"])).toEqual(["image", "weight", "left", "right", "sum", "loss"]);
  expect(order(["right", "loss", "right"])).toEqual(["image", "right", "weight", "left", "sum", "loss"]);
  expect(order([])).toEqual([]);
});

test("a node that leads to itself is named, and one that is read twice is none", () => {
  expect(() => order(["a"], { a: ["b"], b: ["a"] })).toThrow("cycle at a");
  expect(() => order(["a"], { a: ["a"] })).toThrow("cycle at a");
  expect(order(["a"], { a: ["b", "b"], b: [] })).toEqual(["b", "a"]);
});

test("a chain of 200,000 nodes does not overflow the stack", () => {
  const list = inputsFirst([200_000], (n) => (n > 0 ? [n - 1] : []), () => new Error("cycle")); // prettier-ignore
  expect(list.length).toBe(200_001);
  expect(list[0]).toBe(0);
});
