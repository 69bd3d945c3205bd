/** @file The rows of the op table on a device that adds up in subgroups, against float64 as elsewhere; see trees.test.ts. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openDevice } from "../../src/index.ts";
import { rowTests } from "../../src/testing/index.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { rows as augment } from "./rows/augment_intensity.ts";
import { rows as extreme } from "./rows/extreme.ts";
import { rows as focal } from "./rows/focal.ts";
import { rows as norm } from "./rows/norm.ts";
import { rows as batchNorm } from "./rows/norm_batch.ts";
import { rows as layerNorm } from "./rows/norm_layer.ts";
import { rows as prelu } from "./rows/prelu.ts";
import { rows as reduce } from "./rows/reduce.ts";
import { rows as region } from "./rows/region.ts";
import { rows as softmax } from "./rows/softmax.ts";
import type { Row } from "../lib/row.ts";

const rows: readonly Row<any>[] = [augment, extreme, focal, norm, batchNorm, layerNorm, prelu, reduce, region, softmax].flat();

const device = await openDevice();
device.choices.set("tree", "subgroups");
afterAll(() => device.close());

const found = new Set<string>();
const send = device.run.bind(device);
device.run = (call: KernelCall) => {
  if (call.program.key.includes("subgroups")) found.add(call.program.key.split(".", 1)[0]);
  send(call);
};

describe.runIf(device.gpu.features.has("subgroups"))("by subgroups", () => {
  describe.each(rows)("$name", (row) => {
    for (const { title, run } of rowTests(row, { errors: false })) test(title, () => run(device));
  });

  test("they did", async () => {
    for (const row of rows.filter(({ name }) => /^(sum|instanceNorm)$/.test(name)))
      for (const { run } of rowTests(row, { errors: false })) await run(device);
    expect([...found]).toEqual(expect.arrayContaining(["norm", "reduce"]));
  });

  // llvmpipe's subgroups are as wide as its vectors.
  const script = fileURLToPath(new URL("subgroup_sizes.ts", import.meta.url));
  test.runIf(device.software).each([128, 256])("vectors of %i bits", (bits) => {
    const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=voxgrad-source", script], {
      env: { ...process.env, LP_NATIVE_VECTOR_WIDTH: String(bits) },
      encoding: "utf8",
    });
    expect(JSON.parse(stdout || "null"), stderr).toEqual({ size: bits / 32, wrong: [] });
  });
});
