/** @file On the runtime's device: operations with known values and a network that learns; or why there is no device. */
import { capture, grad, matmul, openDevice, sum } from "voxgrad";
import { bench, benchTable } from "voxgrad/bench";
import { Adam, diceLoss, manualSeed } from "voxgrad/nn";
import { UNet } from "voxgrad/seg";
import { gradCheck } from "voxgrad/testing";

const device = await openDevice().catch((error) => console.log(JSON.stringify({ error: `${error.name}: ${error.message}` })));
if (device) {
  const square = device.tensor({ data: [1, 2, 3, 4], shape: [2, 2] });
  const product = await matmul(square, square).data();
  const data = Float32Array.from({ length: 10_000 }, (_, i) => i % 7);
  const total = await sum(device.tensor({ data, shape: [10_000] })).item();

  const slopes = await gradCheck((x) => matmul(x, x), [square]);
  const cases = [{ name: "square", inputs: { x: [8, 8] }, run: ({ x }) => matmul(x, x), differentiable: [] }];
  const timed = benchTable(await bench(device, cases, { time: 1, ceiling: { gflops: 1, halfGflops: undefined, gbps: 1 } }));

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

  // What the program has opened itself, where the runtime has WebGPU of its own.
  const shared = [];
  const { gpu } = globalThis.navigator ?? {};
  if (gpu) {
    const adapter = async () => await gpu.requestAdapter();
    const given = [{ gpu }, { adapter: await adapter() }, { device: await (await adapter()).requestDevice() }];
    for (const options of given) {
      const own = await openDevice(options);
      shared.push((await matmul(own.tensor({ data: [2], shape: [1, 1] }), own.tensor({ data: [3], shape: [1, 1] })).data())[0]);
      own.close();
    }
  }
  console.log(
    JSON.stringify({ device: device.name, product: [...product], total, slopes: slopes.length, timed, losses, shared }),
  );
  device.close();
}
