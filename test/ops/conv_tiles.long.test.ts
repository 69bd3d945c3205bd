/** @file Convolutions of the op table in the tiles through shared memory that hardware gets, against float64. */

import { afterEach, describe, test } from "vitest";
import { rowTests } from "../../src/testing/index.ts";
import { gatherVariants, weightVariants } from "../../src/kernels/conv/variants.ts";
import { device as open } from "../lib/device.ts";
import { allRows } from "../lib/table.ts";

const device = await open();
afterEach(() => device.choices.clear());

const names = [...Object.keys(gatherVariants), ...Object.keys(weightVariants)].filter((name) => /^(tile|weights) /.test(name));

describe.each(names)("%s", (name) => {
  for (const row of allRows.filter(({ name }) => name.startsWith("conv"))) {
    for (const { title, run } of rowTests(row, { whole: false, errors: false })) {
      test(title, () => {
        device.choices.set("conv", name);
        return run(device);
      });
    }
  }
});
