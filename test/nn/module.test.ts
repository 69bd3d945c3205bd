/** @file The tree of modules: names, order, and modules that are reached on two ways. */

import { expect, test } from "vitest";
import { Activation, Identity, ModuleList, Sequential } from "../../src/nn/index.ts";
import { relu } from "../../src/index.ts";

test("modules come by dotted name, parents first; one that is reached twice has both names and is one module", () => {
  const act = new Activation(relu);
  const inner = new Sequential({ act, same: act });
  const list = new ModuleList([new Identity(), inner]);
  const net = new Sequential(new Map([["blocks", list]]));
  expect([...net.namedModules()].map(([name]) => name)).toEqual([
    "",
    "blocks",
    "blocks.0",
    "blocks.1",
    "blocks.1.act",
    "blocks.1.same",
  ]);
  expect(new Map(net.namedModules()).get("blocks.1.same")).toBe(act);
  expect([...net.modules()]).toEqual([net, list, list.items[0], inner, act]);
});
