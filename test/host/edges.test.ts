/** @file Positions of padded indices: against numpy.pad written out by hand. */
import { describe, expect, test } from "vitest";
import { type EdgeMode, edgeIndex, edgeIndices, edgeMode, torchEdges } from "../../src/host/edges.ts";
import { ConfigError } from "../../src/host/errors.ts";

describe("np.pad([a b c], 5)", () => {
  test.each([
    ["constant", ".....abc....."],
    ["edge", "aaaaaabcccccc"],
    ["reflect", "babcbabcbabcb"],
    ["symmetric", "bccbaabccbaab"],
    ["wrap", "bcabcabcabcab"],
  ] as const)("%s", (mode, expected) => {
    const at = edgeIndices(mode, -5, 13, 3);
    expect([...at].map((i) => (i < 0 ? "." : "abc"[i])).join("")).toBe(expected);
  });
});

test("far beyond the ends the pattern goes on", () => {
  const period: Record<EdgeMode, number> = { constant: 1, edge: 1, reflect: 8, symmetric: 10, wrap: 5 };
  for (const mode of Object.keys(period) as EdgeMode[]) {
    for (let i = 5; i < 40; i++) expect(edgeIndex(mode, i + 100 * period[mode], 5), `${mode} ${i}`).toBe(edgeIndex(mode, i, 5));
    for (let i = -1; i > -40; i--) expect(edgeIndex(mode, i - 100 * period[mode], 5), `${mode} ${i}`).toBe(edgeIndex(mode, i, 5));
  }
});

test("an axis of one element, and of none", () => {
  for (const mode of ["edge", "reflect", "symmetric", "wrap"] as const)
    expect([...edgeIndices(mode, -2, 5, 1)]).toEqual([0, 0, 0, 0, 0]);
  expect([...edgeIndices("constant", -1, 3, 1)]).toEqual([-1, 0, -1]);
  for (const mode of ["constant", "edge", "reflect", "symmetric", "wrap"] as const)
    expect([...edgeIndices(mode, -1, 2, 0)]).toEqual([-1, -1]);
  expect(edgeIndices("wrap", 3, 0, 4)).toHaveLength(0);
});

test("names: PyTorch's, and none other", () => {
  expect([edgeMode("pad", "mode", "replicate", torchEdges), edgeMode("pad", "mode", "circular", torchEdges)]).toEqual([
    "edge",
    "wrap",
  ]);
  for (const name of ["edge", "toString", ""])
    expect(() => edgeMode("pad", "mode", name as "constant", torchEdges)).toThrow(
      new ConfigError(`pad: unknown mode "${name}"; known are constant, reflect, replicate, circular`),
    );
});
