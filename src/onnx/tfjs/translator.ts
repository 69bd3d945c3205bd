/** @file What an operation of TensorFlow is here: one or a few operations of ONNX. */

import type { GraphBuilder } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";

/** Adds the operation to the graph. Throws `FormatError` for what is not supported. */
export type Translator = (node: TfNode, g: GraphBuilder) => void;

/** By the names of TensorFlow. */
export type Translators = Readonly<Record<string, Translator>>;
