/** @file What is told in millimeters is so of images whose header counts in micrometers or meters. */

import { afterAll, expect, test } from "vitest";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { gridDifference, joinCase } from "../../../src/data/folders/join_case.ts";
import { readImageGrid, writeImageFile } from "../../../src/data/index.node.ts";
import { maskOfNodules, nodulesOfMask } from "../../../src/data/nodules/mask_nodules.ts";
import { prepareScan } from "../../../src/data/nodules/prepare.ts";
import { RandomBlur, RemoveSmallObjects } from "../../../src/data/transforms/index.ts";
import { makeVolume, type SpaceUnit, type Volume } from "../../../src/data/volume.ts";
import type { TypedArray } from "../../../src/host/array.ts";
import { compareFolders } from "../../../src/seg/cli/compare_folders.node.ts";
import { configure, type DataFacts, type LoadedCase, slices2d } from "../../../src/seg/index.ts";
import type { Case } from "../../../src/data/index.ts";
import { caseMetricsNamed, scoreCase } from "../../../src/seg/metrics/case_metrics.ts";
import { surfaceOf } from "../../../src/seg/post/surface.ts";
import { memoryData, tinyRun } from "../../lib/memory_data.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const perMm = { mm: 1, um: 1000, m: 1e-3 } as const;
const units = ["mm", "um", "m"] as const;

/** 12³ voxels of ½×1×2 mm, as a header that counts in `unit` has it. */
function inUnit<A extends TypedArray>(data: A, unit: keyof typeof perMm, named: SpaceUnit = unit): Volume<A> {
  const edges = [0.5, 1, 2];
  const affine = [0, 1, 2, 3].map((r) =>
    [0, 1, 2, 3].map((c) => (r === 3 ? Number(c === 3) : r === c ? edges[r] * perMm[unit] : c === 3 ? 7 * perMm[unit] : 0)),
  );
  return makeVolume({ data, shape: [1, 12, 12, 12] }, affine, { units: named });
}

/** 1 in a block of 4³ voxels from `start` on. */
const block = (start: number) =>
  Uint8Array.from({ length: 12 ** 3 }, (_, i) =>
    Number([i % 12, Math.floor(i / 12) % 12, Math.floor(i / 144)].every((p) => p >= start && p < start + 4)),
  );

const classes = [{ name: "x", values: [1] }];
const names = "hd hd95 hd95pooled asd assd nsd nsdvoxels volume".split(" ");

test.each(["um", "m"] as const)("distances, meshes and nodules of an image in %s are those of the same in mm", (unit) => {
  const of = (u: typeof unit | "mm") => {
    const [found, truth] = [inUnit(block(3), u), inUnit(block(4), u)];
    const scores = scoreCase(found, truth, { metrics: caseMetricsNamed(names), classes, spacing: truth.spacing });
    const [nodule] = nodulesOfMask(truth);
    return {
      scores: scores[0],
      mesh: Array.from(surfaceOf(truth, { labels: 1 }).vertices),
      nodule: [...nodule.center, nodule.diameter],
      ball: Array.from(maskOfNodules(truth, [nodule]).data),
      scan: Array.from(
        prepareScan(
          inUnit(
            Float32Array.from(block(4), (v) => 600 * v),
            u,
          ),
          [nodule],
        ).nodules.flatMap((n) => [...n.center, n.radius]),
      ),
      blurred: Array.from(new RandomBlur({ std: [1, 1] }).apply(inUnit(Float32Array.from(block(4)), u)).data),
      large: [63, 64].map((minSize) => new RemoveSmallObjects({ minSize, byMeasure: true }).apply(truth).data.includes(1)),
    };
  };
  const mm = of("mm");
  expect(mm.scores[0]).toBeCloseTo(Math.hypot(0.5, 1, 2), 6);
  expect(mm.large).toEqual([true, false]);
  const same = (x: unknown): unknown => (Array.isArray(x) ? x.map(same) : typeof x === "number" ? expect.closeTo(x, 3) : x);
  expect(of(unit)).toEqual(Object.fromEntries(Object.entries(mm).map(([k, v]) => [k, same(v)])));
});

test.each(units)("a scan of 1 mm voxels in %s keeps its voxels, and its place is in mm", (unit) => {
  const affine = [0, 1, 2, 3].map((r) =>
    [0, 1, 2, 3].map((c) => (r === 3 || r === c ? Number(r === c) : 0) * (r < 3 ? perMm[unit] : 1)),
  );
  const { image } = prepareScan(makeVolume({ data: new Float32Array(8), shape: [1, 2, 2, 2] }, affine, { units: unit }), []);
  expect([image.shape, image.spacing, image.units]).toEqual([[1, 2, 2, 2], [1, 1, 1].map((v) => expect.closeTo(v, 9)), "mm"]);
});

test("grids in other units lie on each other by their numbers or by their places", () => {
  const grid = (unit: keyof typeof perMm, named?: SpaceUnit) => ({ name: unit, ...inUnit(block(4), unit, named) });
  for (const a of units) {
    for (const b of units) expect(gridDifference(grid(a), grid(b))).toBeUndefined();
    expect(gridDifference(grid(a), grid(a, "unknown"))).toBeUndefined();
    expect(gridDifference(grid(a), grid(a, "mm"))).toBeUndefined();
  }
  const twice = {
    ...grid("um"),
    affine: grid("um").affine.map((row) => row.map((v) => 2 * v)),
    spacing: [1000, 2000, 4000] as const,
  };
  expect(gridDifference(twice, grid("um"))).toMatch(/is \[1,2,4\] mm, the um's \[0.5,1,2\] mm/);
});

test("a label whose file names no unit has the image's", () => {
  const image = inUnit(new Float32Array(12 ** 3), "um");
  for (const label of [inUnit(block(4), "um", "unknown"), inUnit(block(4), "mm")]) {
    const joined = joinCase("a", [image], label, [{ name: "background", values: [0] }, ...classes]).label!;
    expect([joined.units, joined.spacing, joined.meta.kind]).toEqual(["um", image.spacing, "label"]);
    expect(joined.data).toBe(label.data);
  }
});

test("evaluate: tolerance and --spacing are in mm, and maps that formats keep in mm go with those in micrometers", async () => {
  const paths = { um: "nii.gz", mm: "mha" } as const;
  for (const [unit, ending] of Object.entries(paths)) {
    for (const [name, start] of [
      ["truth", 4],
      ["found", 3],
    ] as const) {
      await mkdir(join(folder, unit, name), { recursive: true });
      await writeImageFile(join(folder, unit, name, `a.${ending}`), inUnit(block(start), unit as "um" | "mm"));
    }
  }
  expect((await readImageGrid(join(folder, "um", "truth", "a.nii.gz"))).units).toBe("um");
  const scored = async (truth: string, found: string, more: object = {}) =>
    (
      await compareFolders({
        reference: join(folder, truth, "truth"),
        prediction: join(folder, found, "found"),
        metrics: "hd,nsd",
        ...more,
      })
    ).cases[0].scores[0];
  const close = (values: readonly number[]) => values.map((v) => expect.closeTo(v, 5));
  for (const more of [{}, { tolerance: "2.1" }, { spacing: "1,1,1" }]) {
    const mm = await scored("mm", "mm", more);
    expect(await scored("um", "um", more)).toEqual(close(mm));
    expect(await scored("um", "mm", more)).toEqual(close(mm));
  }
});

test("a run of images in micrometers has its voxel size in mm and says what its options count in", async () => {
  const data = memoryData();
  const read = async (item: Case): Promise<LoadedCase> => {
    const found = await data.read(item);
    const um = (x: Volume): Volume =>
      makeVolume(
        x,
        x.affine.map((row, r) => (r < 3 ? row.map((v) => 1000 * v) : row)),
        { ...x.meta, units: "um" },
      );
    return { ...found, image: um(found.image), ...(found.label && { label: um(found.label) }) };
  };
  const notes: string[] = [];
  const given = { data: "memory", ...tinyRun };
  const sizes: (readonly (readonly number[])[])[] = [];
  const recipe = { ...slices2d, suggest: (facts: DataFacts) => (sizes.push(facts.spacings), slices2d.suggest(facts, given)) };
  const { info } = await configure(recipe, { ...data, read }, given, { log: (text: string) => notes.push(text) });
  await configure(recipe, data, given);
  expect(sizes[0]).toEqual(sizes[1].map((s) => s.map((v) => expect.closeTo(v, 6))));
  expect(info.spacing).toEqual((await configure(slices2d, data, given)).info.spacing.map((s) => expect.closeTo(s, 6)));
  expect(notes).toEqual([expect.stringMatching(/headers count in um, .*: case0, case1/)]);
});
