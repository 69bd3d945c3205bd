/** @file What npm would get: the packed library installed in an empty folder, without the sources and without the network. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type App, entryPoints, installPackage, root, tarball } from "../lib/package.ts";

let app: App;

beforeAll(async () => {
  app = await installPackage();
}, 300_000);
afterAll(() => app?.remove());

test("every entry point loads, from what was built", () => {
  const printed = app.runModule(`
    for (const entry of ${JSON.stringify(entryPoints)}) {
      const module = await import(entry);
      console.log(entry, import.meta.resolve(entry).includes("/node_modules/voxgrad/dist/"), Object.keys(module).length > 0);
    }`);
  expect(printed.trim().split("\n")).toEqual(entryPoints.map((entry) => `${entry} true true`));
});

test("publint and are-the-types-wrong find nothing", async () => {
  const packed = await tarball();
  const bin = (name: string) => join(root, "node_modules", ".bin", name);
  expect(app.run(bin("publint"), ["--strict", packed])).toContain("All good!");
  // The package has ES modules only: `require` of one is Node's business, and node10 knows no `exports`.
  app.run(bin("attw"), [packed, "--profile", "esm-only", "--no-emoji"]);
});

test("bundles hold what is called: an operation is 8 KiB packed, a network with its training 96 KiB", async () => {
  const packed = async (contents: string): Promise<number> => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: app.folder },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
    });
    return gzipSync(outputFiles[0].contents).length / 1024;
  };
  expect(await packed(`export { relu } from "voxgrad";`)).toBeLessThan(10);
  const training = `export { capture, openDevice } from "voxgrad";
    export { Adam, diceLoss } from "voxgrad/nn";
    export { UNet } from "voxgrad/seg";`;
  expect(await packed(training)).toBeLessThan(110);
});

test("it trains: a network, its loss, gradients, an optimizer", () => {
  const printed = app.runModule(`
    import { capture, grad, openDevice } from "voxgrad";
    import { Adam, diceLoss, manualSeed } from "voxgrad/nn";
    import { UNet } from "voxgrad/seg";
    const device = await openDevice();
    manualSeed(1);
    const model = new UNet(device, { spatialDims: 2, inChannels: 1, outChannels: 1, channels: [4, 8], strides: [2] });
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const step = capture(device, (x, y) => {
      const loss = diceLoss(model.forward(x), y, { sigmoid: true });
      optimizer.step(grad(loss, optimizer.parameters));
      return loss;
    });
    const shape = [2, 1, 16, 16];
    const image = { data: Float32Array.from({ length: 512 }, (_, i) => Math.sin(i / 7)), shape };
    const label = { data: image.data.map((v) => Number(v > 0)), shape };
    const losses = [];
    for (let i = 0; i < 10; i++) losses.push(await step(image, label).item());
    console.log(JSON.stringify(losses));
    device.close();`);
  const losses: number[] = JSON.parse(printed);
  expect(losses).toHaveLength(10);
  expect(losses.at(-1)).toBeLessThan(0.95 * losses[0]);
});

test("data workers find their module", () => {
  writeFileSync(
    join(app.folder, "dataset.js"),
    `import { MapDataset } from "voxgrad/data";
    export default () => new MapDataset([1, 2, 3], { apply: (v) => ({ x: { data: Float32Array.of(v), shape: [1] } }) });`,
  );
  const printed = app.runModule(`
    import { DataLoader } from "voxgrad/data";
    const loader = new DataLoader({ module: new URL("./dataset.js", import.meta.url), args: {} }, { batchSize: 3, numWorkers: 1 });
    for await (const batch of loader) console.log([...batch.x.data].join());
    await loader.close();`);
  expect(printed).toBe("1,2,3\n");
});

const typeScript = join(root, "node_modules", "typescript", "bin", "tsc");
const strict = ["--noEmit", "--strict", "--module", "NodeNext", "--target", "ES2022"];

// Without DOM and @types/node, the classes of the platform are unknown, but no error.
test.each([
  ["ES2022,DOM", ["--exactOptionalPropertyTypes"]],
  ["ES2022,DOM", ["--module", "esnext", "--moduleResolution", "bundler"]],
  ["ES2022", []],
  ["ESNext", ["--exactOptionalPropertyTypes"]],
] as const)("declarations are whole, with lib %s %s and no skipLibCheck", (lib, options) => {
  const imports = entryPoints.map((entry, i) => `import * as m${i} from "${entry}";\nexport const k${i} = Object.keys(m${i});`);
  const source = `${imports.join("\n")}
    import { add, type Device, openDevice } from "voxgrad";
    const device: Device = await openDevice();
    export const sum: number = await add(device.tensor({ data: [1], shape: [1] }), 1).item();
    // @ts-expect-error a number is no text
    export const text: string = sum;
    // @ts-expect-error a device is no number
    export const gpu: number = device.gpu;`;
  writeFileSync(join(app.folder, "types.ts"), source);
  app.run(process.execPath, [typeScript, ...strict, "--lib", lib, ...options, "types.ts"]);
});

test("batches have the keys of their items, the strictest checks on; what nobody knows needs one", () => {
  const source = `
    import { type HostArray } from "voxgrad";
    import {
      type Batch, CacheDataset, Compose, ConcatDataset, createTestImage2d, DataLoader, type Dataset, type Item, LoadImage, listDataCollate, MapDataset,
      onKeys, padListDataCollate, PatchDataset, RandFlip, RandSpatialCropSamples, readImage, ShuffleBuffer, Subset, type Transform,
    } from "voxgrad/data";
    const take = (..._: HostArray[]): void => {};
    const items = [createTestImage2d(64, 64)];
    const both = ["image", "label"] as const;
    const flip = onKeys(both, new RandFlip({ prob: 0.5 }));
    const crops = onKeys(both, new RandSpatialCropSamples({ roiSize: [3, 3], numSamples: 2 }));
    const mapped = new MapDataset(items, [flip, flip]);
    const patches = new PatchDataset(mapped, { patchFunc: crops, samplesPerImage: 2, transform: [flip] });
    for (const data of [items, mapped, new MapDataset(items, flip), new CacheDataset(items, [flip]), patches, new Subset(mapped, [0])])
      for await (const { image, label } of new DataLoader<Batch<"image" | "label">>(data)) take(image, label);
    for await (const { image, label } of new DataLoader(items, { batchSize: 4, shuffle: true })) take(image, label);
    for await (const { image, label } of new DataLoader(patches)) take(image, label);
    for await (const { image, label } of new DataLoader(new ShuffleBuffer(new ConcatDataset([mapped, mapped])))) take(image, label);
    for await (const { image, label } of new DataLoader(items, { collate: padListDataCollate() })) take(image, label);
    for await (const { image, label } of new DataLoader(items, { collate: listDataCollate })) take(image, label);

    const files = [{ id: "a", image: "a.nii", label: "b.nii" }];
    const read = new MapDataset(files, async ({ id, image }) => ({ id, image: await readImage(new Blob([image])), count: 1 }));
    for await (const { image, count } of new DataLoader(new CacheDataset(read, [flip]))) take(image, count);
    for await (const { image } of new DataLoader<Batch<"image">>({ module: "x.js" })) take(image);
    for await (const { image } of new DataLoader<{ image: HostArray }>({ module: "x.js" })) take(image);
    for await (const length of new DataLoader(items, { collate: (list) => list.length })) length.toFixed();
    interface Mine { readonly image: HostArray; readonly names: readonly string[] }
    const mine: Mine[] = [];
    for await (const { image } of new DataLoader(new MapDataset(mine, [onKeys("image", new RandFlip())]))) take(image);

    const loaded = new CacheDataset(files, [onKeys(both, new LoadImage()), flip]);
    for await (const { id, image } of new DataLoader(loaded)) {
      // @ts-expect-error it may not be there
      take(image);
      // @ts-expect-error texts are none
      take(id);
    }
    // Types are as loose as they were where somebody gave them.
    const old: DataLoader = new DataLoader(mapped);
    const named: Dataset = mapped;
    const one: Transform<Item> = flip;
    const chain: Transform<Item> = new Compose([one, flip]);
    export const guessed = new MapDataset(named, (item) => ({ ...item, double: item.image.data.length }));
    export const steps = new MapDataset(files, [async ({ image }) => ({ bytes: image }), ({ bytes }) => ({ image: bytes }), chain]);
    class Own extends DataLoader<Batch> {}
    export { old, Own };
    // @ts-expect-error an array's transform is none of items
    export const wrong = new MapDataset(items, [new RandFlip()]);`;
  writeFileSync(join(app.folder, "batches.ts"), source);
  const options = ["--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--lib", "ES2022,ESNext.Disposable,DOM"];
  app.run(process.execPath, [typeScript, ...strict, ...options, "batches.ts"]);
});

test("npx voxgrad: its help, and the adapter", () => {
  expect(app.run("npx", ["--offline", "voxgrad", "--help"])).toMatch(/^voxgrad: .*\n[^]*voxgrad predict \(--run DIR/);
  expect(app.run("npx", ["--offline", "voxgrad", "info"])).toMatch(/adapter/i);
});
