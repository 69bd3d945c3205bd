/** @file A page on all entry points that a browser has: it trains a recipe on cases in memory, and loads a dataset's module by its address. */
import { mul, openDevice, sum } from "voxgrad";
import { bench, benchTable } from "voxgrad/bench";
import { createTestImage3d, DataLoader, makeVolume, RandomState } from "voxgrad/data";
import { Adam } from "voxgrad/nn";
import { importOnnx } from "voxgrad/onnx";
import { configure, fit, memoryStore, slices2d } from "voxgrad/seg";
import { gradCheck } from "voxgrad/testing";
import { readWeights } from "voxgrad/weights";

function memoryData() {
  const volumes = new Map();
  const randomState = new RandomState(7);
  for (const id of ["a", "b", "c"]) {
    const balls = { numObjs: 4, numSegClasses: 1, radMin: 2, radMax: 5, noiseMax: 0.3, channelDim: 0, randomState };
    const { image, label } = createTestImage3d(16, 16, 16, balls);
    volumes.set(id, { image: makeVolume(image), label: makeVolume(label) });
  }
  const cases = [...volumes.keys()].map((id) => ({ id, image: [id], label: id }));
  const labels = [
    { name: "background", values: [0] },
    { name: "ball", values: [1] },
  ];
  const index = { name: "Memory", modality: ["synthetic"], labels, fileEnding: ".nii.gz", training: cases, test: [] };
  const read = async ({ id }) => ({ id, ...volumes.get(id) });
  return { index, train: cases.slice(0, 2), val: cases.slice(2), threads: 1, read };
}

const options = {
  epochs: 1,
  batchSize: 4,
  samplesPerVolume: 8,
  sliceAxis: 2,
  patchSize: [16, 16],
  fit: "resize",
  normalize: "scale",
  augment: "none",
  channels: [4, 8],
  numResUnits: 1,
};

globalThis.train = async () => {
  const device = await openDevice();
  const [data, store] = [memoryData(), memoryStore()];
  const { config, info } = await configure(slices2d, data, { data: "memory", ...options });
  await fit(slices2d, { device, data, store, config, info });
  device.close();
  const weights = await readWeights(await store.read("weights.safetensors"));
  const lines = new TextDecoder()
    .decode(await store.read("metrics.jsonl"))
    .trim()
    .split("\n");
  const losses = lines.flatMap((line) => JSON.parse(line).loss ?? []);
  return { losses, weights: weights.tensors.size, kept: [Adam, importOnnx].map((f) => typeof f) };
};

// What one does with a kernel of one's own: its slopes checked, its time taken. The ceiling is given, since measuring it takes a second.
globalThis.ownKernels = async () => {
  const device = await openDevice();
  const slopes = await gradCheck((x) => sum(mul(x, x)), [device.tensor({ data: [1, -2, 3], shape: [3] })]);
  const cases = [{ name: "square", inputs: { x: [64] }, run: ({ x }) => mul(x, x), differentiable: [] }];
  const ceiling = { gflops: 1, halfGflops: undefined, gbps: 1 };
  const report = await bench(device, cases, { time: 1, ceiling });
  device.close();
  return { slopes: slopes.length, timed: benchTable(report).includes("square") };
};

globalThis.load = async (module, numWorkers, script) => {
  const openWorker = script && (() => new Worker(script, { type: "module" }));
  const loader = new DataLoader({ module, args: { factor: 2 } }, { batchSize: 3, numWorkers, openWorker });
  const seen = [];
  for await (const { x } of loader) seen.push(...x.data);
  await loader.close();
  return seen;
};
