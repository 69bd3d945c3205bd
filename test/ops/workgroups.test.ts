/** @file More workgroups than one dimension of a dispatch may have, 65,535, for one kind of kernel. The others: workgroups.full.test.ts. */

import { afterAll, afterEach, beforeEach, describe, test } from "vitest";
import * as vx from "../../src/index.ts";
import { asOnHardware, both, expectAt, gpu, odd, pattern, seedOf, unwatch, value, watch } from "./many_workgroups.ts";

describe("more than 65,535 workgroups", () => {
  beforeEach(watch);
  afterEach(unwatch);
  afterAll(() => gpu.pool.trim());

  test("pointwise", async () => {
    const [y, dx] = await asOnHardware(() => both((x) => vx.leakyRelu(x, 0.5), pattern([odd])));
    expectAt("forward", y, (i) => (value(i) > 0 ? value(i) : value(i) / 2));
    expectAt("gradient", dx, (i) => seedOf(i) * (value(i) > 0 ? 1 : 0.5));
  });
});
