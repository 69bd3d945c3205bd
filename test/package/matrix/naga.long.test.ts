/**
 * @file The op table under wgpu, whose compiler of WGSL (naga) is Firefox's: with the kernels that hardware gets, as no Firefox runs on a software adapter. Deno brings
 * it along, and neither subgroups nor pointers into arrays as parameters are among what it says it has.
 */

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bundleForBrowser } from "../../lib/chromium.ts";
import { describeMatrix, report } from "../../lib/matrix.ts";
import { installWith, root } from "../../lib/package.ts";

const rows = readdirSync(join(root, "test/ops/rows"));

// Every second sample: all of them take five minutes.
const program = `
import { openDevice } from "./src/index.ts";
import { rowTests } from "./src/testing/index.ts";
${rows.map((file, i) => `import { rows as rows${i} } from "./test/ops/rows/${file}";`).join("\n")}
const open = async () => Object.defineProperty(await openDevice(), "software", { value: false });
let device = await open();
const { name } = device;
let passed = 0;
const failed = [];
for (const row of [${rows.map((_, i) => `...rows${i}`).join(", ")}]) {
  const tests = rowTests(row, { whole: false, errors: false }).filter((_, i) => i % 2 === 0);
  for (const { title, run } of tests) {
    try {
      await run(device);
      device.check();
      passed++;
    } catch (error) {
      failed.push(row.name + " " + title + ": " + error.message);
      device.close();
      device = await open();
    }
  }
}
console.log(JSON.stringify({ name, passed, failed }));
device.close();
`;

describeMatrix("naga", () => {
  test("every operation", { timeout: 1_200_000 }, async () => {
    const app = await installWith(["deno"]);
    try {
      writeFileSync(join(app.folder, "table.js"), await bundleForBrowser({ text: program }, { external: ["node:*"] }));
      const env = { DENO_DIR: join(app.folder, "deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
      const printed = await app.runLong(join(app.folder, "node_modules/.bin/deno"), ["run", "-A", "table.js"], env);
      const { name, passed, failed } = JSON.parse(printed.trim().split("\n").at(-1)!);
      expect(failed).toEqual([]);
      expect(passed).toBeGreaterThan(800);
      report("op table by naga", `${passed} samples`, name);
    } finally {
      app.remove();
    }
  });
});
