/** @file The Dice loss against MONAI: values and gradients of the cases that test/fixtures/make_torch_ops.py stored. */

import { describe, test } from "vitest";
import { diceLoss } from "../../../src/nn/index.ts";
import { expectClose } from "../../lib/compare.ts";
import { readFixture, runStored, type StoredCase } from "../../lib/fixture.ts";
import { camelKeys } from "../../lib/names.ts";

const cases = readFixture<{ cases: StoredCase[] }>("torch_ops.json").cases.filter((c) => c.op === "DiceLoss");

describe("DiceLoss against MONAI", () => {
  test.each(cases.map((c) => [`${c.id} ${JSON.stringify(c.args)}`, c] as const))("%s", async (_, c) => {
    const { values, gradients } = await runStored(c, ({ input, target }, args) => diceLoss(input, target, camelKeys(args)));
    expectClose("loss", values.output, c.output.data, 2e-6);
    expectClose("gradient", gradients.input, c.grads.input.data, 1e-5);
  });
});
