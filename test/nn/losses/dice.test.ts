/** @file The Dice loss against MONAI: values and gradients of the cases that test/fixtures/make_torch_ops.py stored. */

import { readFileSync } from "node:fs";
import { describe, test } from "vitest";
import { grad, mul, scope, sum } from "../../../src/index.ts";
import { diceLoss } from "../../../src/nn/index.ts";
import { expectClose, readAll } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

const file = JSON.parse(readFileSync(new URL("../../fixtures/torch_ops.json", import.meta.url), "utf8"));
const cases: any[] = file.cases.filter((c: any) => c.op === "DiceLoss");
const camel = (name: string) => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

describe("DiceLoss against MONAI", () => {
  test.each<[string, any]>(cases.map((c) => [`${c.id} ${JSON.stringify(c.args)}`, c]))("%s", async (_, c) => {
    const gpu = await device();
    const options = Object.fromEntries(Object.entries(c.args).map(([k, v]) => [camel(k), v]));
    const results = scope(() => {
      const input = gpu.tensor(c.inputs.input);
      input.requiresGrad = true;
      const loss = diceLoss(input, gpu.tensor(c.inputs.target), options);
      const [gradient] = grad(c.gradOutput ? sum(mul(loss, gpu.tensor(c.gradOutput))) : loss, [input]);
      return { loss, gradient };
    });
    const { loss, gradient } = await readAll(results);
    for (const t of Object.values(results)) t.dispose();
    expectClose("loss", loss, c.output.data, 2e-6);
    expectClose("gradient", gradient, c.grads.input.data, 1e-5);
  });
});
