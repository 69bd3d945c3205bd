/** @file Modules in a list, for networks that call them one by one. */

import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module, expectModule } from "../module.ts";

/** PyTorch's `ModuleList`: names its items "0", "1" … and has no forward of its own. */
export class ModuleList<M extends Module = Module> extends Module {
  /** The modules in their order. */
  readonly items: readonly M[];

  constructor(items: readonly M[]) {
    expectArguments("ModuleList", "list", { items });
    items.forEach((item, i) => expectModule("ModuleList", { [`items[${i}]`]: item }));
    super();
    this.items = items;
  }

  override *children(): Iterable<readonly [string, M]> {
    for (const [i, item] of this.items.entries()) yield [String(i), item];
  }

  /** The items in order: `for (const block of this.blocks)`. */
  [Symbol.iterator](): IterableIterator<M> {
    return this.items.values();
  }

  /** Throws `ConfigError`: the network that owns the list decides what is called when. It takes no tensor of any shape. */
  forward(): Tensor {
    throw new ConfigError("a ModuleList cannot be called; call its items, or use Sequential");
  }
}
