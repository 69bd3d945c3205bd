/** @file What an emitter is given and gives: one operation as the tape told of it, and the graph under construction. */

import type { Tensor } from "../../tensor/tensor.ts";
import type { GraphBuilder, Inputs } from "./builder.ts";

/** Names of tensors, and what could not be expressed. */
export interface Names {
  readonly builder: GraphBuilder;
  readonly unknown: Set<string>;
  has(t: Tensor): boolean;
  get(t: Tensor): string;
  set(t: Tensor, name: string): void;
  setIndices(t: Tensor, name: string): void;
  /** The name of indices that a max pool made. */
  indicesOf(t: Tensor): string;
}

/** One operation as it was called. */
export interface Emission {
  readonly names: Names;
  readonly builder: GraphBuilder;
  readonly op: string;
  readonly tensors: readonly (Tensor | undefined)[];
  /** The names of the inputs. */
  readonly inputs: Inputs;
  readonly result: Tensor;
  /** What the operation records about itself, which its emitter knows: of a type that goes wherever it is used. */
  readonly args: Readonly<Record<string, never>>;
}

/** Adds nodes and gives the name of the result; undefined where ONNX has none for these options. */
export type Emitter = (e: Emission) => string | undefined;

export type Emitters = Readonly<Record<string, Emitter>>;
