/** A 2-D UNet on slices, in a loop of one's own: `node examples/train_2d.ts [EPOCHS]`. Discs stand for your data. */
import { capture, openDevice } from "voxgrad";
import { createTestImage2d, createTestImage3d, DataLoader, MapDataset, onKeys, RandFlip, RandomState } from "voxgrad/data";
import { Adam, diceLoss, setDeterminism } from "voxgrad/nn";
import { DiceMetric, Predictor, SliceInferer, UNet } from "voxgrad/seg";

setDeterminism(0);
const epochs = Number(process.argv[2] ?? 5);
const device = await openDevice();
const model = new UNet(device, {
  spatialDims: 2,
  inChannels: 1,
  outChannels: 1,
  channels: [8, 16, 32],
  strides: [2, 2],
  numResUnits: 1,
});

// Items are records of host arrays [C, H, W]; a label is binary here.
const made = { numSegClasses: 1, radMax: 12, channelDim: 0, randomState: new RandomState(1) };
const items = Array.from({ length: 24 }, () => createTestImage2d(48, 48, made));
const dataset = new MapDataset(items, [onKeys(["image", "label"], new RandFlip({ prob: 0.5, spatialAxis: 0 }))]);
const loader = new DataLoader(dataset, { batchSize: 4, shuffle: true });

const adam = new Adam(model.parameters(), { lr: 5e-3 });
const step = capture(device, (image, label) => {
  const loss = diceLoss(model.forward(image), label, { sigmoid: true });
  adam.minimize(loss);
  return loss;
});
for (let epoch = 0; epoch < epochs; epoch++) {
  let total = 0;
  for await (const { image, label } of loader) total += await step(image, label).item();
  console.log(`epoch ${epoch + 1}: loss ${(total / 6).toFixed(3)}`);
}

// A volume [C, X, Y, Z], slice by slice along its last axis, in windows of the size the network was trained on.
const { image, label } = createTestImage3d(48, 48, 26, made);
model.eval();
const inferer = new SliceInferer({ roiSize: [48, 48], swBatchSize: 4, spatialDim: 2 });
const logits = await inferer.run({ data: image.data, shape: [1, ...image.shape] }, new Predictor(device, model));
const dice = new DiceMetric({ includeBackground: true });
dice.append(
  { ...logits, data: logits.data.map((v) => Number(v > 0)) },
  { data: label.data.map((v) => Math.min(v, 1)), shape: logits.shape },
);
console.log("Dice of a volume:", dice.aggregate().value.data[0]?.toFixed(3));
device.close();
