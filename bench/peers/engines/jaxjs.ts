/** @file jax-js on WebGPU, in Dawn, everything under `jit` unless PEERS_JIT is 0. Arrays are consumed by use; `.ref` keeps them. */

import { pathToFileURL } from "node:url";
import {
  type ConvTask,
  convData,
  type Layer,
  type MatmulTask,
  matmulData,
  type Unet,
  unet,
  unetData,
  type UnetTask,
  type Values,
  type ProbeTask,
} from "../tasks.ts";
import { probeData } from "../probes.ts";
import { byKind, peer, peerFile, permuted, polyfill, type Prepared, serve } from "../worker.ts";

await serve(async () => {
  const { webgpu, adapter } = polyfill();
  const entry = peerFile("@jax-js/jax"); // the CommonJS build cannot load its WebGPU backend
  const jax: any = await import(pathToFileURL(entry.replace("index.cjs", "index.js")).href);
  const { numpy: np, lax, nn, jit, grad, valueAndGrad, tree, blockUntilReady } = jax;
  const devices = await jax.init();
  if (!devices.includes("webgpu")) throw new Error(`no WebGPU device, only ${devices.join(", ")}`);
  jax.defaultDevice("webgpu");

  const array = ({ data, shape }: Values) => np.array(data).reshape([...shape]);
  const ones = (dims: number, k = 1) => Array.from({ length: dims }, () => k);

  const operation = async (run: (...args: any[]) => Record<string, any>, args: any[]): Promise<Prepared> => {
    const jitted = process.env.PEERS_JIT === "0" ? run : jit(run);
    await blockUntilReady(args);
    const call = (): Record<string, any> => jitted(...args.map((a) => a.ref));
    return {
      start() {
        const results = call();
        return async () => {
          await blockUntilReady(results);
          for (const t of Object.values(results)) t.dispose();
        };
      },
      async results() {
        const values: Record<string, ArrayLike<number>> = {};
        for (const [name, t] of Object.entries(call())) values[name] = await t.data();
        return values;
      },
      free: () => args.forEach((a) => a.dispose()),
    };
  };

  async function conv(task: ConvTask): Promise<Prepared> {
    const host = convData(task);
    const forward = (x: any, w: any) => lax.convGeneralDilated(x, w, ones(task.size.length), "SAME");
    if (!task.gradients) return operation((x, w) => ({ y: forward(x, w) }), [array(host.x), array(host.weight)]);
    const loss = (p: any, dy: any) => forward(p.x, p.w).mul(dy).sum();
    // jit drops the forward pass, whose value nobody uses.
    const gradients = (x: any, w: any, dy: any) => {
      const g = grad(loss)({ x, w }, dy);
      return { dx: g.x, dw: g.w };
    };
    return operation(gradients, [array(host.x), array(host.weight), array(host.dy)]);
  }

  async function matmul(task: MatmulTask): Promise<Prepared> {
    const { a, b } = matmulData(task);
    return operation((x, y) => ({ y: np.matmul(x, y) }), [array(a), array(b)]);
  }

  async function probe(task: ProbeTask): Promise<Prepared> {
    const host = probeData(task);
    const ops = {
      sum: (x: any) => np.sum(x),
      mean: (x: any) => np.mean(x),
      variance: (x: any) => np["var_"](x),
      softmax: (x: any) => nn.softmax(x, -1),
      relu: (x: any) => nn.relu(x),
      conv: (x: any, w: any) => lax.convGeneralDilated(x, w, [1, 1], "SAME"),
    };
    const args = task.op === "conv" ? [array(host.x), array(host.weight)] : [array(host.x)];
    return operation((x, w) => ({ y: ops[task.op](x, w) }), args);
  }

  async function training(task: UnetTask): Promise<Prepared> {
    const { dims, lr } = task;
    // lax.convTranspose correlates: its kernel is PyTorch's [in, out, …] as [out, in, …], reversed along the spatial axes.
    const transposed = ({ data, shape }: Values): Values => {
      const [input, output, ...taps] = shape;
      const swapped = permuted(data, [input, output, taps.reduce((a, b) => a * b)], [1, 0, 2]);
      const cells = taps.reduce((a, b) => a * b);
      return { data: swapped.map((_, i) => swapped[i - (i % cells) + cells - 1 - (i % cells)]), shape: [output, input, ...taps] };
    };
    let params: Unet<any> = unet(task, (values, role) =>
      array(
        role === "up"
          ? transposed(values)
          : role === "bias"
            ? { data: values.data, shape: [values.shape[0], ...ones(dims)] }
            : values,
      ),
    );
    const host = unetData(task);
    const [image, label] = [array(host.image), array(host.label)];
    const plain = (t: any, { weight, bias }: Layer<any>) => lax.convGeneralDilated(t, weight, ones(dims), "SAME").add(bias);
    const block = (t: any, layers: readonly Layer<any>[]) => layers.reduce((v, layer) => nn.relu(plain(v, layer)), t);
    const forward = ({ encoder, decoder, head }: Unet<any>, x: any) => {
      const skips: any[] = [];
      let t = x;
      encoder.forEach((layers, i) => {
        if (i > 0) {
          skips.push(t.ref);
          t = lax.reduceWindow(t, np.max, ones(dims, 2), ones(dims, 2));
        }
        t = block(t, layers);
      });
      for (const { up, convs } of decoder) {
        t = lax.convTranspose(t, up.weight, ones(dims, 2), "VALID").add(up.bias);
        t = block(np.concatenate([skips.pop(), t], 1), convs);
      }
      return plain(t, head);
    };
    const loss = (p: Unet<any>, x: any, y: any) => np.mean(nn.logSoftmax(forward(p, x), 1).mul(y).sum(1)).mul(-1);
    const step = jit((p: Unet<any>, x: any, y: any) => {
      const [value, gradients] = valueAndGrad(loss)(tree.ref(p), x, y);
      return [value, tree.map((a: any, g: any) => a.sub(g.mul(lr)), p, gradients)];
    });
    return {
      start() {
        const [value, updated] = step(params, image.ref, label.ref);
        params = updated;
        return async () => {
          const [number] = await value.data();
          await blockUntilReady(params);
          return number;
        };
      },
      free() {
        tree.dispose(params);
        image.dispose();
        label.dispose();
      },
    };
  }

  return {
    version: peer(entry.replace("dist/index.cjs", "package.json")).version,
    adapter,
    webgpu,
    prepare: byKind({ conv, matmul, probe, unet: training }),
  };
});
