/** @file Public functions and metrics that take host arrays: where a whole array goes through, one that does not fill its shape, or fills it with 64-bit integers, must not. */

import { expect, test } from "vitest";
import { VoxgradError } from "../../src/index.ts";
import * as data from "../../src/data/index.ts";
import * as seg from "../../src/seg/index.ts";

const affine = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((k) => (i === k ? 1 : 0)));
const arrays = [
  [1, 2, 4, 4],
  [2, 4, 4],
  [1, 4, 4, 4],
  [4, 4, 4],
  [8, 8],
  [2, 3],
].map((shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: Uint8Array.from({ length: size }, (_, i) => (Math.floor(i / 2) % 3 === 0 ? 1 : 0)), shape, affine, meta: {} };
});
type Given = (typeof arrays)[number];
const spoiled: Readonly<Record<string, (x: Given) => unknown>> = {
  "too few values": (x) => ({ ...x, data: x.data.slice(1) }),
  "too many values": (x) => ({ ...x, data: Uint8Array.of(0, ...x.data) }),
  "64-bit integers": (x) => ({ ...x, data: BigInt64Array.from(x.data, BigInt) }),
};

type Call = (...args: unknown[]) => unknown;
/** What arrays are given to, with what comes behind them. */
const behind: readonly (readonly unknown[])[] = [[], [{}], [{ numClasses: 2 }], [1], [[0, 1]]];
/** Counts of arrays, one after the other. */
const counts = [1, 2];

/** Which of the spoiled arguments go through, or end in an error that is not ours; undefined if no right ones were found. */
async function faults(name: string, call: Call): Promise<string[] | undefined> {
  const out = new Set<string>();
  let found = false;
  for (const x of arrays) {
    for (const count of counts) {
      for (const rest of behind) {
        const right: unknown[] = new Array<unknown>(count).fill(x);
        try {
          await call(...right, ...rest);
        } catch {
          continue;
        }
        for (let at = 0; at < count; at++) {
          // What the function takes no notice of may be anything.
          if (await passes(call, [...right.with(at, null), ...rest])) continue;
          found = true;
          for (const [how, spoil] of Object.entries(spoiled)) {
            try {
              await call(...right.with(at, spoil(x)), ...rest);
              out.add(`${name}: argument ${at}: ${how}: goes through`);
            } catch (e) {
              if (!(e instanceof VoxgradError)) out.add(`${name}: argument ${at}: ${how}: ${String(e).slice(0, 100)}`);
            }
          }
        }
      }
    }
  }
  return found ? [...out] : undefined;
}

async function passes(call: Call, args: readonly unknown[]): Promise<boolean> {
  try {
    await call(...args);
    return true;
  } catch {
    return false;
  }
}

const isClass = (f: unknown): f is new (options: unknown) => { append?: Call } =>
  typeof f === "function" && Function.prototype.toString.call(f).startsWith("class");

/** They look at other things of an argument than its values. */
const careless = new Set(["getUniqueLabels argument 1", "isRandomizable argument 0", "labelProbabilityMap argument 1"]);

test("functions of arrays, and metrics over many", async () => {
  const bad: string[] = [];
  const tried: string[] = [];
  for (const [name, f] of Object.entries<unknown>({ ...data, ...seg })) {
    if (typeof f !== "function") continue;
    const call: Call = isClass(f) ? (...args) => new f({}).append!(...args) : (f as Call);
    const found = await faults(name, call);
    if (found) tried.push(name);
    bad.push(...(found ?? []).filter((fault) => !careless.has(fault.split(": ").slice(0, 2).join(" "))));
  }
  // Most of those that there are: a walk that finds nothing to call would say nothing.
  expect(tried.length).toBeGreaterThan(50);
  expect(bad).toEqual([]);
}, 120_000);

const scan = arrays[2];
const image = { data: Float32Array.from({ length: 64 }, (_, i) => i), shape: [1, 1, 4, 4, 4] } as never as Given;
const same = (x: seg.WindowOutputs) => x;
type Calls = Readonly<Record<string, { right: Given; call: (x: never) => unknown }>>;
const others: Calls = {
  "images of windows": { right: image, call: (x) => seg.slidingWindowInference(x, { roiSize: 2 }, same as never) },
  "images of slices": { right: image, call: (x) => new seg.SliceInferer({ roiSize: [2, 2] }).run(x, same as never) },
  "images of an inferer": { right: image, call: (x) => new seg.SlidingWindowInferer({ roiSize: 2 }).run(x, same as never) },
  "what a predictor gives": { right: image, call: (x) => seg.slidingWindowInference(image, { roiSize: 4 }, () => x) },
  "one of several outputs": {
    right: image,
    call: (x) => seg.slidingWindowInference(image, { roiSize: 4 }, () => ({ a: image, b: x })),
  },
  "weights of windows": {
    right: { ...scan, shape: [4, 4, 4] },
    call: (x) => seg.slidingWindowInference(image, { roiSize: 4, roiWeightMap: x }, same as never),
  },
  "what processFn gives": {
    right: image,
    call: (x) =>
      seg.slidingWindowInference(
        image,
        { roiSize: 4, processFn: (_, __, weights) => ({ outputs: [x], weights }) },
        same as never,
      ),
  },
  "items of a batch": { right: scan, call: (x) => data.listDataCollate([{ image: scan }, { image: x }]) },
  "items of a padded batch": { right: scan, call: (x) => data.padListDataCollate()([{ image: x }, { image: scan }]) },
  "volumes of a mean": {
    right: data.makeVolume({ data: Float32Array.from(scan.data), shape: scan.shape }) as never,
    call: (x) => seg.meanOfVolumes([x, x]),
  },
  "samples of structures": { right: scan, call: (x) => seg.structureUncertainty([scan, x], 2) },
  "items of a sampler": { right: scan, call: (x) => new data.GridSampler({ image: x }, { patchSize: 2 }) },
  "an image beside a label": { right: scan, call: (x) => data.mapBinaryToIndices(scan, x) },
  EnsureType: { right: scan, call: (x) => new data.EnsureType().apply(x) },
  Dice: { right: scan, call: (x) => seg.diceOfLabels(x, scan, [{ name: "a", values: [1] }]) },
};

test.each(Object.entries(others))("%s", async (_, { right, call }) => {
  await call(right as never);
  for (const spoil of Object.values(spoiled)) await expect(async () => call(spoil(right) as never)).rejects.toThrow(VoxgradError);
  await expect(async () => call(spoiled["too few values"](right) as never)).rejects.toThrow(/63 values.*holds 64/);
});
