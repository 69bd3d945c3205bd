/** @file Every example is one short file that runs as it is with the packed library, on tiny data. */

import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, servePage } from "../lib/chromium.ts";
import { type App, checkTypes, installPackage, root } from "../lib/package.ts";
import { writeTinyDataset } from "../lib/tiny.ts";

const examples = join(root, "examples");
let app: App;
const at = (...names: string[]) => join(app.folder, ...names);

beforeAll(async () => {
  app = await installPackage();
  cpSync(examples, at("examples"), { recursive: true });
  cpSync(join(root, "test/fixtures/nnunet_results"), at("results"), { recursive: true });
  await writeTinyDataset(at("data"), { 0: "background", 1: "one", 2: "two" });
  app.runModule(`
    import { writeFileSync } from "node:fs";
    import { openDevice } from "voxgrad";
    import { UNet } from "voxgrad/seg";
    import { writeSafetensors } from "voxgrad/weights";
    const device = await openDevice();
    const channels = [16, 32, 64, 128];
    const model = new UNet(device, { spatialDims: 2, inChannels: 1, outChannels: 1, channels, strides: [2, 2, 2], numResUnits: 2 });
    writeFileSync("monai.safetensors", writeSafetensors(await model.stateDict()));
    device.close();`);
}, 300_000);
afterAll(() => app?.remove());

const tiny3d = {
  epochs: 2,
  batchSize: 2,
  samplesPerVolume: 2,
  patchSize: [16, 16, 16],
  channels: [4, 8, 8],
  numResUnits: 1,
  windowBatch: 1,
};
const tinyQuickNat = {
  epochs: 1,
  batchSize: 4,
  validateEvery: 1,
  samplesPerVolume: 3,
  volumeSize: [16, 16, 16],
  filters: 4,
  kernel: 3,
};

const tinyNnunet = {
  timeLimit: 0,
  estimate: "nnunet",
  features: 4,
  epochs: 2,
  stepsPerEpoch: 4,
  validationSteps: 1,
  batchSize: 2,
  noMirroring: true,
};

/** Arguments, what is printed, and files that are there afterwards. In this order: some take what others made. */
const runs: [name: string, args: readonly string[], printed: RegExp, files?: readonly string[]][] = [
  ["tensors", [], /slope 3\.000\nloss below 0\.001 slope 3\.0\d offset 0\.[45]\d\n/],
  ["train_2d", ["4"], /epoch 4: loss 0\.\d+\nDice of a volume: 0\.[4-9]/],
  [
    "train_3d",
    ["data", "runs/3d", JSON.stringify(tiny3d)],
    /patches of 16×16×16, 3 classes\n[^]*one \d\.\d+\ntwo \d/,
    ["runs/3d/report.html"],
  ],
  ["predict_folder", ["runs/3d", "data/imagesTr", "out"], /case5 one [\d.]+ ml, two [\d.]+ ml\n/, ["out/case0.nii.gz"]],
  ["import_onnx", [], /input \[ 'input_0', 1, 32, 32 \][^]*580 parameters\nf32 \[2, 2, 32, 32\]\nlargest .*: 0e\+0\n/],
  [
    "monai_weights",
    ["monai.safetensors", "tuned.safetensors"],
    /49 tensors, 0 missing, 0 unexpected\n16 frozen/,
    ["tuned.safetensors"],
  ],
  [
    "nnunet_folder",
    ["results", "data/imagesTr/case0.nii.gz", "nnunet.nii.gz"],
    /3d_fullres \[ 'synthetic' \] patches of 16×16×16\n[^]*label 0: \d+ voxels/,
    ["nnunet.nii.gz"],
  ],
  [
    "nnunet",
    ["data", "runs/nnunet", JSON.stringify(tinyNnunet)],
    /planned 2d, 3d_fullres[^]*one \d\.\d+\ntwo \d/,
    ["runs/nnunet/report.html"],
  ],
  ["quicknat", ["data", "runs/quicknat", JSON.stringify(tinyQuickNat)], /one [\d.]+\ntwo [\d.]+/],
  ["own_op", [], /gradient Float32Array\(5\)[^]*snake\/matrix passed\n/],
  ["benchmark", ["silu"], /measured ceiling: [^]*silu one kernel +[\d.]+ ms/],
];
/** Those with tests of their own, on data of their own. */
const elsewhere = ["chaos", "nodules", "own_recipe"];

test("every example has a run, and is a short file", () => {
  const files = readdirSync(examples, { recursive: true, encoding: "utf8" }).filter((file) => /\.\w+$/.test(file));
  expect(files.sort()).toEqual(
    [...runs.map(([name]) => `${name}.ts`), ...elsewhere.map((name) => `${name}.ts`), "browser/index.html"].sort(),
  );
  for (const file of files) expect(readFileSync(join(examples, file), "utf8").trim().split("\n").length, file).toBeLessThan(60);
});

test("all of it is type-checked, as strictly as there is", { timeout: 300_000 }, () => {
  checkTypes(
    app,
    readdirSync(examples)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join("examples", file)),
  );
});

test.each(runs)("%s", { timeout: 300_000 }, (name, args, printed, files = []) => {
  expect(app.run(process.execPath, [join("examples", `${name}.ts`), ...args])).toMatch(printed);
  for (const file of files) expect(existsSync(at(file)), file).toBe(true);
});

describe("in a browser", () => {
  test("the page trains as it is, and asks nobody for anything", { timeout: 300_000 }, async () => {
    const html = readFileSync(join(examples, "browser/index.html"), "utf8");
    const [whole, script] = /<script type="module">(.*?)<\/script>/s.exec(html)!;
    writeFileSync(at("page.js"), script);
    const { outputFiles } = await build({
      absWorkingDir: app.folder,
      entryPoints: ["page.js"],
      bundle: true,
      write: false,
      format: "esm",
    });
    const page = html.replace(whole, '<script type="module" src="page.js"></script>');
    const site = await servePage({ "index.html": page, "page.js": outputFiles[0].text, "favicon.ico": "" });
    const browser = await launchChromium();
    try {
      const tab = await browser.newPage();
      const problems: string[] = [];
      tab.on("pageerror", (error) => problems.push(String(error)));
      tab.on("request", (request) => request.url().startsWith(site.url) || problems.push(request.url()));
      await tab.goto(site.url);
      await tab.waitForSelector("body[data-done]", { timeout: 240_000 });
      expect(await tab.textContent("#status")).toMatch(/^epoch 8 of 8 on .*: loss 0\.\d+$/);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await site.close();
    }
  });
});
