/** @file The TypeScript of the README runs as printed, in a folder with the packed library, a weight file and a dataset of these names. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type App, installPackage, root } from "../lib/package.ts";
import { writeTinyDataset } from "../lib/tiny.ts";

const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
let app: App;

beforeAll(async () => {
  app = await installPackage();
  await writeTinyDataset(join(app.folder, "Task04_Hippocampus"));
  app.runModule(`
    import { writeFileSync } from "node:fs";
    import { openDevice } from "voxgrad";
    import { BasicUNet } from "voxgrad/seg";
    import { writeSafetensors } from "voxgrad/weights";
    const device = await openDevice();
    const model = new BasicUNet(device, { spatialDims: 2, features: [8, 8, 16, 16, 32, 8] });
    writeFileSync("model.pt", writeSafetensors(await model.stateDict()));
    device.close();`);
}, 300_000);
afterAll(() => app?.remove());

test("there are three", () => {
  expect(blocks).toHaveLength(3);
});

test.each([
  ["a network trains and segments", /^([\d.]+\n){8}\[ 1, 1, 64, 48, 56 \]\n$/],
  ["weights are read, a network is exported", /^\[\] \[\]\n$/],
  ["a recipe is trained", /kind: 'epoch'/],
])(
  "%s",
  (title, printed) => {
    const at = ["a network", "weights", "a recipe"].findIndex((head) => title.startsWith(head));
    writeFileSync(join(app.folder, `snippet${at}.ts`), blocks[at]);
    expect(app.run(process.execPath, [`snippet${at}.ts`])).toMatch(printed);
    if (at === 1) expect(existsSync(join(app.folder, "model.onnx"))).toBe(true);
    if (at === 2) expect(existsSync(join(app.folder, "runs/first/weights.safetensors"))).toBe(true);
  },
  300_000,
);
