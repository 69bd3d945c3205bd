/** @file voxgrad: every task a captured step. */

import { createRequire } from "node:module";
import * as voxgrad from "../../../src/index.ts";
import { capture, concat, conv, convTranspose, grad, openDevice, parameter, type Tensor } from "../../../src/index.ts";
import { convInputGradient } from "../../../src/kernels/conv/conv.ts";
import { convWeightGradient } from "../../../src/kernels/conv/weight_gradient.ts";
import { convShape } from "../../../src/kernels/conv/shape.ts";
import { crossEntropyLoss, SGD } from "../../../src/nn/index.ts";
import {
  type ConvTask,
  convData,
  type Layer,
  type MatmulTask,
  matmulData,
  unet,
  unetData,
  type UnetTask,
  type ProbeTask,
} from "../tasks.ts";
import { probeData } from "../probes.ts";
import { byKind, dawnOptions, type Prepared, serve } from "../worker.ts";

const require = createRequire(new URL("../../../src/index.ts", import.meta.url)); // the library's own copy, not the peers'

await serve(async () => {
  const device = await openDevice({ toggles: dawnOptions });

  const operation = (run: () => Record<string, Tensor>, inputs: readonly Tensor[]): Prepared => {
    const step = capture(device, run);
    return {
      start() {
        // As if they had just been written: a plan keeps what depends on given memory alone.
        for (const { storage } of inputs) storage.touch();
        step();
        device.eager.submit();
        return () => device.settle();
      },
      async results() {
        const entries = Object.entries(step()).map(async ([name, t]) => [name, await t.data()] as const);
        return Object.fromEntries(await Promise.all(entries));
      },
      free() {
        step.dispose();
        for (const t of inputs) t.dispose();
      },
    };
  };

  function convolution(task: ConvTask): Prepared {
    const host = convData(task);
    const [x, weight, dy] = [host.x, host.weight, host.dy].map((v) => device.tensor(v));
    const padding = (task.taps - 1) / 2;
    if (!task.gradients) return operation(() => ({ y: conv(x, weight, undefined, { padding }) }), [x, weight, dy]);
    // The gradient kernels themselves: `grad` would run the forward pass too.
    const g = convShape(x.shape, weight.shape, undefined, { padding });
    const gradients = () => ({ dx: convInputGradient(dy, weight, g, x.shape), dw: convWeightGradient(dy, x, g, weight.shape) });
    return operation(gradients, [x, weight, dy]);
  }

  function product(task: MatmulTask): Prepared {
    const host = matmulData(task);
    const [a, b] = [device.tensor(host.a), device.tensor(host.b)];
    return operation(() => ({ y: voxgrad.matmul(a, b) }), [a, b]);
  }

  function probe(task: ProbeTask): Prepared {
    const [x, weight] = Object.values(probeData(task)).map((v) => device.tensor(v));
    const ops = {
      sum: () => voxgrad.sum(x),
      mean: () => voxgrad.mean(x),
      variance: () => voxgrad.variance(x, undefined, { correction: 0 }),
      softmax: () => voxgrad.softmax(x, -1),
      relu: () => voxgrad.relu(x),
      conv: () => conv(x, weight, undefined, { padding: 1 }),
    };
    return operation(() => ({ y: ops[task.op]() }), [x, weight]);
  }

  function training(task: UnetTask): Prepared {
    const before = device.memory.live;
    const parameters: Tensor[] = [];
    const { encoder, decoder, head } = unet(task, (values) => {
      const t = parameter(device.tensor(values));
      parameters.push(t);
      return t;
    });
    const sgd = new SGD(parameters, { lr: task.lr });
    const stateBytes = device.memory.live - before;
    const host = unetData(task);
    const [image, label] = [device.tensor(host.image), device.tensor(host.label)];
    const block = (x: Tensor, layers: readonly Layer<Tensor>[]) =>
      layers.reduce((v, { weight, bias }) => conv(v, weight, bias, { padding: 1, activation: "relu" }), x);
    const forward = () => {
      const skips: Tensor[] = [];
      let x = image;
      encoder.forEach((layers, i) => {
        if (i > 0) {
          skips.push(x);
          x = voxgrad.maxPool(x, { kernelSize: 2 });
        }
        x = block(x, layers);
      });
      for (const { up, convs } of decoder) {
        x = convTranspose(x, up.weight, up.bias, { stride: 2 });
        x = block(concat([skips.pop()!, x]), convs);
      }
      return conv(x, head.weight, head.bias);
    };
    const step = capture(device, () => {
      const loss = crossEntropyLoss(forward(), label);
      sgd.step(grad(loss, parameters));
      return loss;
    });
    return {
      start() {
        const loss = step().item();
        return () => loss;
      },
      plannedBytes: () => step.plan!.ownBytes + stateBytes + image.bytes + label.bytes,
      free() {
        step.dispose();
        sgd.dispose();
        for (const t of [...parameters, image, label]) t.dispose();
      },
    };
  }

  return {
    version: "",
    adapter: () => device.name,
    webgpu: require("webgpu").globals,
    prepare: byKind({ conv: convolution, matmul: product, probe, unet: training }),
  };
});
