/**
 * @file What the doc comment of every public transform promises: it says shapes, geometry, draws and MONAI's name, and what it says of the
 * geometry and the draws is so.
 */
import { describe, expect, test } from "vitest";
import { RandomState } from "../../../src/host/random/numpy.ts";
import * as T from "../../../src/data/transforms/index.ts";
import { cropped, docOf, isTransform, line, samples, twice, volume } from "../../lib/transform_samples.ts";

test("every public transform has a sample here", () => {
  const names = Object.values(T)
    .filter(isTransform)
    // One makes volumes of what are none yet, the other leaves them as they are; both have tests of their own.
    .filter((t) => ![T.LoadImage, T.DrawAugmentation].includes(t as never))
    .map(({ name }) => name);
  expect(Object.keys(samples).sort()).toEqual(names.sort());
});

describe.each(Object.entries(samples))("%s", (name, make) => {
  const doc = docOf(name);
  test("says shapes, geometry and MONAI's name", () => {
    expect(line(doc, "Shapes")).toBeDefined();
    expect(line(doc, "Geometry")).toBeDefined();
    expect(doc).toContain(`MONAI's`);
    expect(doc).toContain(`\`${name}\``);
  });

  test("keeps or drops the geometry as it says", () => {
    const says = line(doc, "Geometry")!;
    const keeps = (t: T.Transform) => {
      const out = t.apply(name === "SqueezeDim" ? cropped : name === "RemoveRepeatedChannel" ? twice : volume);
      return [out].flat().every((x) => "affine" in x);
    };
    if (["Compose", "OneOf", "RandomOrder", "SomeOf"].includes(name)) {
      expect(says).toContain("that of its transforms");
      return;
    }
    expect(keeps(make(1))).toBe(says.startsWith("kept"));
    if (says.includes("kept where it does not")) expect(keeps(make(0))).toBe(true);
  });

  test("draws what it says", () => {
    const says = line(doc, "Draws");
    const transform = make(1);
    expect(says !== undefined).toBe(T.isRandomizable(transform));
    if (!T.isRandomizable(transform) || name === "Compose") return;
    const drawn = new Set<string>();
    const source = new Proxy(new RandomState(1), {
      get(target, method: keyof RandomState) {
        const value = target[method] as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          drawn.add(method);
          return (value as (...a: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    transform.setRandomState(source);
    transform.apply(volume);
    const named = new Set([...says!.matchAll(/(\w+)\(/g)].map((m) => m[1]));
    expect([...drawn].sort()).toEqual([...named].sort());
  });
});
