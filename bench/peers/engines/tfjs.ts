/** @file TensorFlow.js with its WebGPU backend, in Dawn. Its own layout is channels last. */

import {
  type ConvTask,
  convData,
  type Layer,
  type MatmulTask,
  matmulData,
  unet,
  unetData,
  type UnetTask,
  type Values,
  type ProbeTask,
} from "../tasks.ts";
import { probeData } from "../probes.ts";
import { byKind, peer, peerVersion, permuted, polyfill, type Prepared, serve } from "../worker.ts";

const lastAxes = (rank: number) => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
const firstAxes = (rank: number) => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
const weightAxes = (rank: number) => [...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1, 0];

await serve(async () => {
  const { webgpu, adapter } = polyfill();
  const tf = peer("@tensorflow/tfjs");
  peer("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("no WebGPU backend");
  await tf.ready();

  const upload = ({ data, shape }: Values, axes: readonly number[]) =>
    tf.tensor(
      permuted(data, shape, axes),
      axes.map((a) => shape[a]),
    );
  const image = (v: Values) => upload(v, lastAxes(v.shape.length));
  const backend = tf.backend();
  const submit = () => {
    backend.endComputePassEncoder();
    if (backend.commandEncoder) backend.submitQueue();
  };
  const done = () => backend.device.queue.onSubmittedWorkDone();

  /** Repeats `run`, which returns named tensors; `axes` lead back to PyTorch's layout. */
  const operation = (run: () => Record<string, any>, axes: Record<string, readonly number[]>, inputs: any[]): Prepared => ({
    start() {
      const results = run();
      submit();
      return async () => {
        await done();
        tf.dispose(results);
      };
    },
    async results() {
      const results = run();
      const entries = Object.entries(results).map(async ([name, t]) => [name, permuted(await t.data(), t.shape, axes[name])]);
      const values = Object.fromEntries(await Promise.all(entries));
      tf.dispose(results);
      return values;
    },
    free: () => tf.dispose(inputs),
  });

  async function conv(task: ConvTask): Promise<Prepared> {
    const dims = task.size.length;
    const rank = dims + 2;
    const host = convData(task);
    const [x, dy] = [image(host.x), image(host.dy)];
    const filter = upload(host.weight, weightAxes(rank));
    const forward = dims === 2 ? tf.conv2d : tf.conv3d;
    if (!task.gradients) return operation(() => ({ y: forward(x, filter, 1, "same") }), { y: firstAxes(rank) }, [x, dy, filter]);
    // The backend's gradient kernels themselves: tf.grads would run the forward pass too.
    const common = { strides: dims === 2 ? [1, 1] : [1, 1, 1], pad: "same", dataFormat: dims === 2 ? "NHWC" : "NDHWC" };
    const names =
      dims === 2 ? ["Conv2DBackpropInput", "Conv2DBackpropFilter"] : ["Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"];
    const run = () =>
      tf.tidy(() => ({
        dx: tf.engine().runKernel(names[0], { dy, filter }, { ...common, inputShape: x.shape }),
        dw: tf.engine().runKernel(names[1], { x, dy }, { ...common, filterShape: filter.shape }),
      }));
    return operation(
      run,
      {
        dx: firstAxes(rank),
        dw: [
          rank - 1,
          rank - 2,
          ...lastAxes(rank)
            .slice(1, -1)
            .map((a) => a - 2),
        ],
      },
      [x, dy, filter],
    );
  }

  async function matmul(task: MatmulTask): Promise<Prepared> {
    const host = matmulData(task);
    const [a, b] = [tf.tensor(host.a.data, host.a.shape), tf.tensor(host.b.data, host.b.shape)];
    return operation(() => ({ y: tf.matMul(a, b) }), { y: [0, 1] }, [a, b]);
  }

  async function probe(task: ProbeTask): Promise<Prepared> {
    const host = probeData(task);
    if (task.op === "conv") {
      const [x, filter] = [image(host.x), upload(host.weight, weightAxes(4))];
      return operation(() => ({ y: tf.conv2d(x, filter, 1, "same") }), { y: firstAxes(4) }, [x, filter]);
    }
    const x = tf.tensor(host.x.data, host.x.shape);
    const ops = {
      sum: () => tf.sum(x),
      mean: () => tf.mean(x),
      variance: () => tf.tidy(() => tf.moments(x).variance),
      softmax: () => tf.softmax(x),
      relu: () => tf.relu(x),
    };
    const run = ops[task.op];
    const axes = task.op === "softmax" || task.op === "relu" ? [...task.shape.keys()] : [];
    return operation(() => ({ y: run() }), { y: axes }, [x]);
  }

  async function training(task: UnetTask): Promise<Prepared> {
    const { dims } = task;
    const [convolve, transpose, pool] =
      dims === 2 ? [tf.conv2d, tf.conv2dTranspose, tf.maxPool] : [tf.conv3d, tf.conv3dTranspose, tf.maxPool3d];
    const variables: any[] = [];
    const { encoder, decoder, head } = unet(task, (values, role) => {
      const variable = tf.variable(role === "bias" ? tf.tensor(values.data, values.shape) : upload(values, weightAxes(dims + 2)));
      variables.push(variable);
      return variable;
    });
    const host = unetData(task);
    const [x, label] = [image(host.image), image(host.label)];
    const plain = (t: any, { weight, bias }: Layer<any>) => tf.add(convolve(t, weight, 1, "same"), bias);
    const block = (t: any, layers: readonly Layer<any>[]) => layers.reduce((v, layer) => tf.relu(plain(v, layer)), t);
    const forward = () => {
      const skips: any[] = [];
      let t = x;
      encoder.forEach((layers, i) => {
        if (i > 0) {
          skips.push(t);
          t = pool(t, 2, 2, "valid");
        }
        t = block(t, layers);
      });
      for (const { up, convs } of decoder) {
        const skip = skips.pop();
        t = tf.add(transpose(t, up.weight, skip.shape, 2, "same"), up.bias);
        t = block(tf.concat([skip, t], dims + 1), convs);
      }
      return plain(t, head);
    };
    const loss = () => tf.neg(tf.mean(tf.sum(tf.mul(label, tf.logSoftmax(forward())), -1)));
    const sgd = tf.train.sgd(task.lr);
    return {
      start() {
        const value = tf.tidy(() => {
          const step = tf.variableGrads(loss);
          sgd.applyGradients(step.grads);
          return step.value;
        });
        submit();
        return async () => {
          const [number] = await value.data();
          await done(); // the update comes after the loss
          value.dispose();
          return number;
        };
      },
      free: () => tf.dispose([x, label, ...variables]),
    };
  }

  return {
    version: peerVersion("@tensorflow/tfjs"),
    adapter,
    webgpu,
    prepare: byKind({ conv, matmul, probe, unet: training }),
  };
});
