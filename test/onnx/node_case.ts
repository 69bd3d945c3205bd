/** @file One case of ONNX's own node tests: a folder with a model, inputs and outputs. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Device, Tensor } from "../../src/index.ts";
import type { HostValue } from "../../src/onnx/values.ts";
import { type OnnxFile, type OnnxTensor, parseOnnx, parseTensor } from "../../src/onnx/model.ts";
import { OnnxModel } from "../../src/onnx/import/module.ts";
import { isKnownInput } from "../../src/onnx/import/operators.ts";
import { onnxBudget } from "../../src/onnx/proto.ts";
import { decodeTensor } from "../../src/onnx/tensor_data.ts";

export interface NodeCase {
  readonly file: OnnxFile;
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
}

const budget = () => onnxBudget(2 ** 24, "the case");

export function readCase(folder: string): NodeCase {
  const set = join(folder, "test_data_set_0");
  const tensors = (kind: string) =>
    readdirSync(set)
      .filter((name) => name.startsWith(kind))
      .sort((a, b) => Number(/\d+/.exec(a)![0]) - Number(/\d+/.exec(b)![0]))
      .map((name) => parseTensor(readFileSync(join(set, name)), budget()));
  return {
    file: parseOnnx(readFileSync(join(folder, "model.onnx")), budget()),
    inputs: tensors("input"),
    outputs: tensors("output"),
  };
}

/**
 * Runs a case: floating inputs on the device, integers and what tells shapes as constants of the graph, which is how models have them.
 * @returns the largest error of each output relative to tolerance 1e-3 · |expected| + 1e-5, as ONNX asks for; above 1 it failed
 */
export async function runCase(device: Device, { file, inputs, outputs }: NodeCase): Promise<number> {
  const { graph } = file;
  const known = new Set(graph.nodes.flatMap((node) => node.inputs.filter((_, i) => isKnownInput(node, i))));
  const tensors: Record<string, Tensor> = {};
  const constants: OnnxTensor[] = [];
  graph.inputs.forEach(({ name }, i) => {
    const value = decodeTensor(inputs[i], budget());
    if (value.kind === "float" && !known.has(name)) tensors[name] = device.tensor(value);
    else constants.push({ ...inputs[i], name });
  });
  const bound: OnnxFile = {
    ...file,
    graph: {
      ...graph,
      initializers: [...graph.initializers, ...constants],
      inputs: graph.inputs.filter((v) => v.name in tensors),
    },
  };
  const model = new OnnxModel(device, bound, budget(), undefined);
  const results = model.run(tensors);
  let worst = 0;
  for (const [i, { name }] of graph.outputs.entries()) {
    const want = decodeTensor(outputs[i], budget());
    worst = Math.max(worst, error(await results[name].data(), results[name].shape, want));
  }
  model.dispose();
  return worst;
}

function error(got: ArrayLike<number>, shape: readonly number[], want: HostValue): number {
  if (shape.join() !== want.shape.join()) throw new Error(`shape [${shape.join()}], expected [${want.shape.join()}]`);
  let worst = 0;
  for (let i = 0; i < want.data.length; i++) {
    if (Object.is(got[i], want.data[i]) || got[i] === want.data[i]) continue;
    const e = Math.abs(got[i] - want.data[i]) / (1e-5 + 1e-3 * Math.abs(want.data[i]));
    worst = Math.max(worst, Number.isNaN(e) ? Infinity : e);
  }
  return worst;
}
