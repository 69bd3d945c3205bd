/** @file Graph models of TensorFlow.js as modules: their graph becomes one of ONNX, which is run as any other. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectFields } from "../../host/kinds.ts";
import { failing } from "../../host/bytes/budget.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import type { TfjsModel } from "../../weights/tfjs/file.ts";
import { OnnxModel } from "../import/module.ts";
import { onnxBudget } from "../proto.ts";
import * as arrange from "./arrange.ts";
import * as batches from "./batches.ts";
import { GraphBuilder } from "./builder.ts";
import * as convolutions from "./convolutions.ts";
import { graphNodes, graphOutputs, ordered, type TfNode } from "./graph_def.ts";
import * as pointwise from "./pointwise.ts";
import * as stridedSlice from "./strided_slice.ts";
import type { Translators } from "./translator.ts";
import * as windows from "./windows.ts";

const tables = [arrange, batches, convolutions, pointwise, stridedSlice, windows].map((m) => m.translators);
const translators: Translators = Object.assign({}, ...tables);
const given = new Set(["Placeholder", "PlaceholderWithDefault", "Const", "NoOp"]);

// Of the operators that are made of a graph.
const opset = 18;

function expectSupported(nodes: readonly TfNode[], source: string): void {
  const missing = new Set(nodes.map(({ op }) => op).filter((op) => !given.has(op) && !Object.hasOwn(translators, op)));
  if (missing.size > 0) throw new ConfigError(`${source}: operations that are not supported: ${[...missing].sort().join(", ")}`);
}

/**
 * A graph model of TensorFlow.js (`"format": "graph-model"`) as a module with its weights, in evaluation mode. Images, `[N, …, C]` in the graph, are
 * `[N, C, …]` here, channels first, with the spatial axes in the order they have in the graph, as inputs and as outputs; what has another number of axes than
 * 4 and 5 is as it is in the graph. Batch norms have the statistics that they learned.
 * @param model what `readTfjs` gave
 * @throws FormatError for graphs that contradict themselves or have the channels first, ConfigError naming all operations that are not supported
 */
export function importTfjsGraph(device: Device, model: TfjsModel): OnnxModel {
  expectDevice("importTfjsGraph", device);
  expectFields("importTfjsGraph", "model", model, { source: "text", topology: "object", weights: "map" });
  const { source, weights } = model;
  const fail = failing(source);
  if (model.format !== "graph-model") throw fail("this is a layers model, which layersModel builds");
  const all = graphNodes(model, fail);
  const outputs = graphOutputs(model, all);
  // Loops make cycles: their operations are named instead.
  if (all.some(({ op }) => op === "NextIteration")) expectSupported(all, source);
  const nodes = ordered(all, outputs, fail);
  expectSupported(nodes, source);
  const inputs = nodes.filter(({ op }) => op.startsWith("Placeholder")).map(({ name }) => name);
  const g = new GraphBuilder([...inputs, ...outputs], fail);
  for (const node of nodes) {
    if (inputs.includes(node.name)) g.input(node.name, node.shape("shape"));
    else if (node.op === "Const") {
      const constant = weights.get(node.name);
      if (!constant) throw node.fail("its values are not among the weights");
      g.set(node.name, { constant, rank: constant.shape.length });
    } else if (node.op !== "NoOp") translators[node.op](node, g);
  }
  const bytes = [...weights.values()].reduce((n, { data }) => n + data.byteLength, 0);
  const file = {
    irVersion: 9,
    producer: "TensorFlow.js",
    opsets: new Map([["", opset]]),
    graph: g.graph(outputs),
    functions: 0,
    metadata: new Map(),
  };
  return new OnnxModel(device, file, onnxBudget(bytes, source), undefined).eval();
}
