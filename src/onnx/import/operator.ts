/** @file What an operator of ONNX is here. */

import type { Op } from "./call.ts";

/** How an operator is computed, in one way at least, and what must be known of its inputs. */
export interface Operator {
  /** Over tensors. */
  readonly device?: Op;
  /** Over values that are all known and small. */
  readonly host?: Op;
  /** Of the shape of its input alone, which may be a tensor. */
  readonly shape?: Op;
  /** Inputs that tell shapes, axes, sizes or bounds rather than data: they must be known before anything runs. */
  readonly known?: readonly number[];
  /** Inputs that are statistics: buffers, not parameters. */
  readonly statistics?: readonly number[];
  /** Takes indices of maxima as MaxPool makes them here, counted inside planes. */
  readonly planes?: boolean;
}

/** By ONNX's names, those of other domains as "domain::name". */
export type Operators = Readonly<Record<string, Operator>>;
