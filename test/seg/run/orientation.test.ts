/** @file A run has an orientation: volumes stored in other ones train, validate, report and come back as they are stored. */

import { describe, expect, test } from "vitest";
import { type Device } from "../../../src/index.ts";
import { configure, memoryStore, openRun, report, segmentCases, slices2d } from "../../../src/seg/index.ts";
import { axisCodes, type Case, toAxisCodes, withGeometryOf } from "../../../src/data/index.ts";
import { device } from "../../lib/device.ts";
import { memoryData, tinyRun } from "../../lib/memory_data.ts";
import { epochsIn, memoryRun, textIn } from "../../lib/memory_run.ts";

const dev: Device = await device();

const run = memoryRun(dev);

describe("a run has an orientation", () => {
  const orientations = ["RAS", "PSR", "SAR"];

  test("volumes stored another way are predicted alike, and come back as they are stored", async () => {
    const store = memoryStore();
    const data = memoryData();
    await run(slices2d, store, data);
    expect(JSON.parse(await textIn(store, "run.json")).orientation).toBe("RAS");
    const opened = await openRun(dev, store, slices2d);
    const found: { dice: readonly number[]; labels: readonly number[] }[] = [];
    for (const codes of orientations) {
      const other = memoryData(undefined, 1, { orientation: () => codes });
      for await (const { labels, source, dice } of segmentCases(opened, [other.val[1]], other.read)) {
        expect(axisCodes(source.image.affine)).toBe(codes);
        const placed = withGeometryOf(source.image, labels);
        expect(placed.affine).toBe(source.image.affine);
        found.push({ dice: dice!, labels: [...toAxisCodes(placed, "RAS").data] });
      }
    }
    opened.dispose();
    expect(new Set(found[0].labels)).toEqual(new Set([0, 1]));
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  test("cases stored in several ways train, validate and report as if they were stored in one", async () => {
    const results = [];
    for (const orientation of [() => "RAS", (i: number) => (i % 3 === 1 ? "SAR" : i === 5 ? "PSR" : "RAS")]) {
      const store = memoryStore();
      const data = memoryData(undefined, 1, { orientation });
      const { epochs } = await run(slices2d, store, data);
      const opened = await openRun(dev, store, slices2d);
      await report(store, opened, epochs, data.val, data.read);
      opened.dispose();
      const bytes = async (file: string) => Buffer.from((await store.read(file))!).toString("base64");
      results.push([await epochsIn(store), ...(await Promise.all(["weights.safetensors", "overlays/case4.png"].map(bytes)))]);
    }
    expect(results[1]).toEqual(results[0]);
  });

  test("a report that ends in between leaves no scores of other maps than those that are there", async () => {
    const store = memoryStore();
    const data = memoryData();
    const { epochs } = await run(slices2d, store, data);
    const opened = await openRun(dev, store, slices2d);
    await report(store, opened, epochs, data.val, data.read);
    const said = async () => {
      const text = (file: string) => textIn(store, file);
      const { cases } = JSON.parse(await text("evaluation.json")) as { cases: unknown[] };
      const [, ...scores] = (await text("evaluation.csv")).trim().split("\n");
      return { cases: cases.length, scores: scores.length, page: (await text("report.html")).includes(data.val[0].id) };
    };
    const whole = await said();
    expect(whole).toMatchObject({ cases: data.val.length, page: true });
    expect(whole.scores).toBeGreaterThan(0);
    // Before a map is replaced nothing is lost, and behind it nothing is told of those that are gone.
    const reads = (fail: string) => (item: Case) => (item.id === fail ? Promise.reject(new Error("killed")) : data.read(item));
    await expect(report(store, opened, epochs, data.val, reads(data.val[0].id))).rejects.toThrow("killed");
    expect(await said()).toEqual(whole);
    await expect(report(store, opened, epochs, data.val, reads(data.val[1].id))).rejects.toThrow("killed");
    expect(await said()).toMatchObject({ cases: 0, scores: 0 });
    await report(store, opened, epochs, data.val, data.read);
    expect(await said()).toEqual(whole);
    opened.dispose();
  });

  test("is that of most training cases", async () => {
    const most = memoryData(undefined, 1, { orientation: (i) => ["RAS", "LPS", "LPS", "SAR", "RAS", "RAS"][i] });
    expect((await configure(slices2d, most, { data: "memory", ...tinyRun })).info.orientation).toBe("LPS");
  });
});
