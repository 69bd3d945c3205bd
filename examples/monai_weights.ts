/** MONAI's weights, and fine-tuning: `node examples/monai_weights.ts WEIGHTS`, a state dict of `UNet(2, 1, 1, (16, 32, 64, 128), (2, 2, 2), num_res_units=2)`. */
import { readFile, writeFile } from "node:fs/promises";
import { capture, openDevice } from "voxgrad";
import { createTestImage2d, DataLoader, RandomState } from "voxgrad/data";
import { AdamW, diceLoss, setDeterminism } from "voxgrad/nn";
import { UNet } from "voxgrad/seg";
import { readWeights, writeSafetensors } from "voxgrad/weights";

setDeterminism(0);
const [path = "weights.safetensors", out] = process.argv.slice(2);
const device = await openDevice();
const model = new UNet(device, {
  spatialDims: 2,
  inChannels: 1,
  outChannels: 1,
  channels: [16, 32, 64, 128],
  strides: [2, 2, 2],
  numResUnits: 2,
});

// .pt, .pth or .safetensors, of PyTorch or MONAI; nothing in the file is executed. Keys and shapes are MONAI's.
const { tensors } = await readWeights(await readFile(path), { source: path });
const { missing, unexpected } = model.loadStateDict(tensors, { strict: false });
console.log(`${tensors.size} tensors, ${missing.length} missing, ${unexpected.length} unexpected`);

// Train the decoder only; the optimizer is made after freezing, of what is left.
const frozen = model.freeze(/^model\.(0|1\.submodule\.0)\./);
console.log(`${frozen.length} frozen, ${model.parameterCount} parameters train`);
const adam = new AdamW(model.parameters(), { lr: 1e-3 });
const step = capture(device, (image, label) => {
  const loss = diceLoss(model.forward(image), label, { sigmoid: true });
  adam.minimize(loss, { clipNorm: 1 });
  return loss;
});
const made = { numSegClasses: 1, radMax: 10, channelDim: 0, randomState: new RandomState(1) };
const items = Array.from({ length: 16 }, () => createTestImage2d(32, 32, made));
const losses: number[] = [];
for await (const { image, label } of new DataLoader(items, { batchSize: 4 })) losses.push(await step(image, label).item());
console.log(losses.map((v) => v.toFixed(3)).join(" "));

// Loads in Python with `model.load_state_dict(safetensors.torch.load_file(path), strict=True)`.
if (out) await writeFile(out, writeSafetensors(await model.stateDict()));
device.close();
