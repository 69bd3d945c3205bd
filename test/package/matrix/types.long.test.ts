/** @file Types: TypeScript 5.9 and 6 find no error in the declarations, with and without the DOM library and @types/node, and none of ours is `any`. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeMatrix, report, versionOf } from "../../lib/matrix.ts";
import { type App, entryPoints, installWith } from "../../lib/package.ts";

const imports = entryPoints.map((entry, i) => `import * as m${i} from "${entry}";\nexport const k${i} = Object.keys(m${i});`);
const source = `${imports.join("\n")}
import { add, type Device, openDevice } from "voxgrad";
import { DataLoader } from "voxgrad/data";
import { UNet } from "voxgrad/seg";
import { bench, type BenchReport } from "voxgrad/bench";
import { gradCheck } from "voxgrad/testing";
const device: Device = await openDevice();
export const sum: number = await add(device.tensor({ data: [1], shape: [1] }), 1).item();
export const loader = new DataLoader([], { batchSize: 2 });
export const model = new UNet(device, { spatialDims: 2, inChannels: 1, outChannels: 1, channels: [4, 8], strides: [2] });
export const report: BenchReport = await bench(device, [], { filter: "conv" });
export const slopes: number = (await gradCheck((x) => x, [device.tensor({ data: [1], shape: [1] })])).length;
// @ts-expect-error a number is no text
export const text: string = sum;
// @ts-expect-error a device is no number
export const gpu: number = device.gpu;
// @ts-expect-error there is no such option
export const wrong = new DataLoader([], { batch: 2 });
`;
// With the DOM library the platform's classes are known.
const withDom = `
import { openDevice as open } from "voxgrad";
export const shared = await open({ gpu: navigator.gpu });
export const lost: Promise<GPUDeviceLostInfo> = shared.gpu.lost;
`;

interface Row {
  readonly typescript: "typescript59" | "typescript6";
  readonly lib: readonly string[];
  readonly types: readonly string[];
  readonly exact: boolean;
  readonly bundler?: boolean;
}

const rows: Row[] = (["typescript59", "typescript6"] as const).flatMap((typescript) => [
  ...[["ES2022"], ["ES2022", "DOM"]].flatMap((lib) => [[], ["node"]].map((types) => ({ typescript, lib, types, exact: true }))),
  { typescript, lib: ["ES2022", "DOM"], types: ["node"], exact: false },
  { typescript, lib: ["ESNext", "DOM"], types: [], exact: true, bundler: true },
]);
rows.push({ typescript: "typescript59", lib: ["ES2022", "DOM"], types: ["@webgpu/types"], exact: true });

describeMatrix("types", () => {
  let app: App;

  beforeAll(async () => {
    const packages = ["typescript59@npm:typescript@5.9", "typescript6@npm:typescript@6", "@types/node", "@webgpu/types"];
    app = await installWith(packages);
  }, 600_000);
  afterAll(() => app?.remove());

  test.each(rows)("$typescript, lib $lib, types $types, exactOptionalPropertyTypes $exact", { timeout: 300_000 }, async (row) => {
    const { typescript, lib, types, exact, bundler = false } = row;
    const knowsGPU = lib.includes("DOM") && (typescript === "typescript6" || types.includes("@webgpu/types"));
    writeFileSync(join(app.folder, "main.ts"), source + (knowsGPU ? withDom : ""));
    const module = bundler
      ? { module: "ESNext", moduleResolution: "bundler" }
      : { module: "NodeNext", moduleResolution: "NodeNext" };
    const strict = { strict: true, noUncheckedIndexedAccess: true, skipLibCheck: false, exactOptionalPropertyTypes: exact };
    const compilerOptions = { ...module, ...strict, lib, types, target: "ES2022", noEmit: true };
    writeFileSync(join(app.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
    const tsc = join("node_modules", typescript, "bin", "tsc");
    expect(await app.runLong(process.execPath, [tsc, "-p", "."])).toBe("");
    const withTypes = types.length === 0 ? "no types" : types.join();
    const kind = `${lib.join()}, ${withTypes}${exact ? ", exactOptionalPropertyTypes" : ""}${bundler ? ", bundler" : ""}`;
    report(`TypeScript ${versionOf(app, typescript)}`, kind, "0 errors, skipLibCheck off");
  });
});
