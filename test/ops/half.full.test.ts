/**
 * @file f16 activations: every row of the op table whose inputs may be f16, on inputs that f16 holds exactly, against the same operation in f32. Results
 * and gradients may differ by the rounding of what is stored, 2⁻¹¹ of a value, and of f16 values between.
 */

import { describe, expect, test } from "vitest";
import { expectClose } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { type Row, takesHalf } from "../lib/row.ts";
import { sampleResults } from "../lib/sample.ts";
import { allRows as rows } from "../lib/table.ts";

// Some of each row: rounding does not depend on what else the samples differ in.
const usable = (row: Row<any>) =>
  row.samples
    .filter((s) => s.half !== false && Object.keys(s.inputs).some((input) => takesHalf(row, input)))
    .filter((_, i, all) => i % Math.ceil(all.length / 4) === 0 || i === all.length - 1);

describe.runIf((await device()).gpu.features.has("shader-f16"))("f16", () => {
  describe.each(rows.filter((row) => usable(row).length > 0))("$name", (row) => {
    test.each(usable(row))("$id", async (sample) => {
      const on = await device();
      const whole = await sampleResults(row, sample, on, { activations: "rounded" });
      const before = on.memory.live;
      const half = await sampleResults(row, sample, on, { activations: "f16" });
      for (const [name, values] of Object.entries(whole)) expectClose(name, half[name], values, 4e-3, 1e-2);
      expect(on.memory.live, "bytes left behind").toBeLessThanOrEqual(before); // less if something was collected meanwhile
    });
  });
});
