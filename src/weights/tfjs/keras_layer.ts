/** @file A layer as Keras describes it, on its way to an operation. */

import type { Fail } from "../../host/bytes/budget.ts";
import type { JsonRecord } from "../../host/bytes/json.ts";
import type { WeightTensor } from "../elements.ts";
import type { TfjsOperation } from "./operation.ts";

/** A layer of a model. */
export interface Layer {
  /** The name of its class. */
  readonly type: string;
  readonly config: JsonRecord;
  /** Its weights by the last part of their names. */
  readonly own: ReadonlyMap<string, WeightTensor>;
  /** Whether the axes of the model are in our order. */
  readonly channelsFirst: boolean;
  readonly madeInTfjs: boolean;
  readonly fail: Fail;
}

/** What a layer does, one thing after the other; the suffix sets the names of the modules apart. */
export interface Made {
  readonly suffix: string;
  readonly operation: TfjsOperation;
}

/** The spatial axes in the name of a class: Conv2D. */
export const dimsOf = ({ type }: Layer): 1 | 2 | 3 => Number(/([123])D/.exec(type)![1]) as 1 | 2 | 3;
