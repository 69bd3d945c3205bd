/** @file onnxruntime-node with its WebGPU provider (its own Dawn, called from native code): inference only. */

import { type ConvTask, convData, type MatmulTask, matmulData, type Task, type Values, type ProbeTask } from "../tasks.ts";
import { model, node } from "../onnx.ts";
import { probeData } from "../probes.ts";
import { peer, peerVersion, type Prepared, serve } from "../worker.ts";

await serve(async () => {
  const ort = peer("onnxruntime-node");
  const options = { executionProviders: ["webgpu"], logSeverityLevel: 3 };
  // The operands are constants of the model and the result is not fetched, so that a run moves next to nothing between host and device:
  // the addition of an input keeps the model from being computed when it is loaded, the slice is what is waited for.
  async function operation(
    op: string,
    attributes: Record<string, readonly number[]>,
    x: Values,
    w: Values,
    output: readonly number[],
  ): Promise<Prepared> {
    const nodes = [
      node("Add", ["x", "zero"], ["moved"]),
      node(op, ["moved", "w"], ["y"], attributes),
      node("Slice", ["y", "from", "to"], ["s"]),
    ];
    const from = { data: new BigInt64Array(output.length), shape: [output.length] };
    const to = { data: BigInt64Array.from(output, () => 1n), shape: [output.length] };
    const bytes = model(nodes, { x, w, from, to }, { zero: [1] }, { y: output, s: output.map(() => 1) });
    const session = await ort.InferenceSession.create(bytes, options);
    const feeds = { zero: new ort.Tensor("float32", Float32Array.of(0), [1]) };
    return {
      start() {
        const running = session.run(feeds, ["s"]);
        return async () => void (await running);
      },
      results: async () => ({ y: (await session.run(feeds, ["y"])).y.data }),
      free: () => session.release(),
    };
  }

  function conv(task: ConvTask): Promise<Prepared> {
    const { x, weight, dy } = convData(task);
    const all = (n: number) => task.size.map(() => n);
    const pad = (task.taps - 1) / 2;
    return operation(
      "Conv",
      { kernel_shape: all(task.taps), pads: [...all(pad), ...all(pad)], strides: all(1) },
      x,
      weight,
      dy.shape,
    );
  }

  function matmul(task: MatmulTask): Promise<Prepared> {
    const { a, b } = matmulData(task);
    return operation("MatMul", {}, a, b, a.shape);
  }

  // Nodes from "x" to "y"; variance as exporters write it, since ONNX has no such operation.
  const probeNodes = (op: ProbeTask["op"]): Uint8Array[] => {
    switch (op) {
      case "sum":
        return [node("ReduceSum", ["x"], ["y"])];
      case "mean":
        return [node("ReduceMean", ["x"], ["y"])];
      case "variance":
        return [
          node("ReduceMean", ["x"], ["mean"]),
          node("Sub", ["x", "mean"], ["distance"]),
          node("Mul", ["distance", "distance"], ["square"]),
          node("ReduceMean", ["square"], ["y"]),
        ];
      case "softmax":
        return [node("Softmax", ["x"], ["y"])];
      case "relu":
        return [node("Relu", ["x"], ["y"])];
      case "conv":
        return [node("Conv", ["x", "w"], ["y"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] })];
    }
  };

  async function probe(task: ProbeTask): Promise<Prepared> {
    const { x, weight } = probeData(task);
    const output = /sum|mean|variance/.test(task.op) ? x.shape.map(() => 1) : x.shape;
    const bytes = model(probeNodes(task.op), task.op === "conv" ? { w: weight } : {}, { x: x.shape }, { y: output });
    const session = await ort.InferenceSession.create(bytes, options);
    const run = () => session.run({ x: new ort.Tensor("float32", x.data, x.shape) }, ["y"]);
    return {
      start() {
        const running = run();
        return async () => void (await running);
      },
      results: async () => ({ y: (await run()).y.data }),
      free: () => session.release(),
    };
  }

  return {
    version: peerVersion("onnxruntime-node"),
    adapter: () => "chosen by its own Dawn",
    async prepare(task: Task) {
      if (task.kind === "unet" || (task.kind === "conv" && task.gradients)) throw new Error("inference only: no gradients");
      return task.kind === "conv" ? conv(task) : task.kind === "matmul" ? matmul(task) : probe(task);
    },
  };
});
