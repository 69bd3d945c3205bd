/** @file A small training step with everything that plans must get right: parameters and gradients in flat buffers, updated in place. */
import * as vx from "../../src/index.ts";
import { sgd } from "../../src/kernels/optim/sgd.ts";
import { alignUp } from "../../src/tensor/buffers.ts";
import { type Device, type HostArray, type Tensor } from "../../src/index.ts";

/** Values that look random but are the same everywhere. */
export function ramp(shape: readonly number[], seed = 1): HostArray<Float32Array> {
  const data = new Float32Array(vx.sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(Math.sin(seed * 12.9898 + i * 78.233));
  return { data, shape };
}

export interface Training {
  readonly flat: Tensor;
  readonly parameters: readonly Tensor[];
  /** Loss of one step of SGD with momentum on `[N, 2, H, W]`. */
  readonly step: (x: Tensor) => Tensor;
  readonly dispose: () => void;
}

export function makeTraining(device: Device): Training {
  const shapes = [[4, 2, 3, 3], [4], [4], [4], [1]];
  const parameters = shapes.map((shape, i) => vx.parameter(device.tensor(ramp(shape, i + 1))));
  const offsets: number[] = [];
  let bytes = 0;
  for (const p of parameters) {
    offsets.push(bytes);
    bytes += alignUp(p.bytes);
  }
  const zeros = (): Tensor => vx.parameter(vx.full(device, [bytes / 4], 0));
  const [flat, gradient, velocity] = [zeros(), zeros(), zeros()];
  parameters.forEach((p, i) => {
    device.eager.copy(p, flat, offsets[i]);
    p.rebase(flat.storage, offsets[i]);
  });
  const state = vx.parameter(device.tensor({ data: [1e-4, 0.9, 0, 1e-4, 0], shape: [5] }));
  const [w, b, scale, shift, slope] = parameters;
  const step = (x: Tensor): Tensor => {
    const y = vx.prelu(vx.instanceNorm(vx.conv(x, w, b, { padding: 1 }), scale, shift), slope);
    const loss = vx.sum(vx.square(vx.affine(y, 1, -0.5)));
    vx.grad(loss, parameters).forEach((g, i) => {
      device.stream.copy(g, gradient, offsets[i]);
      g.dispose();
    });
    sgd({ state, gradient, weight: flat, moments: [velocity] }, false);
    return loss;
  };
  const dispose = (): void => {
    for (const t of [...parameters, flat, gradient, velocity, state]) t.dispose();
  };
  return { flat, parameters, step, dispose };
}
