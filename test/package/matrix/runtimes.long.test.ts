/** @file Runtimes: Node 22 and 24, Deno on its own `navigator.gpu`, Bun; each runs the command, host code and the device, from the packed library. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFixtures, describeMatrix, report } from "../../lib/matrix.ts";
import { type App, entryPoints, installWith } from "../../lib/package.ts";

const version = /^\d+\.\d+\.\d+\n$/;
const command = "node_modules/voxgrad/dist/seg/cli/main.node.js";

describeMatrix("runtimes", () => {
  let app: App;
  const bin = (...names: string[]) => join(app.folder, "node_modules", ...names);
  const runtimes = {
    "node 22": () => [bin("node22", "bin", "node")],
    "node of the tests": () => [process.execPath],
    deno: () => [bin(".bin", "deno"), "run", "-A"],
    bun: () => [bin(".bin", "bun")],
  };
  type Runtime = keyof typeof runtimes;

  beforeAll(async () => {
    app = await installWith(["node20@npm:node@20", "node22@npm:node@22", "deno", "bun"]);
    addFixtures(app, "runtime");
    addFixtures(app, "bundle/dataset.js", "dataset.js");
  }, 600_000);
  afterAll(() => app?.remove());

  async function run(runtime: Runtime, file: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const [program, ...options] = runtimes[runtime]();
    const own = { DENO_DIR: join(app.folder, "deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...env };
    return app.runLong(program, [...options, file, ...args], own);
  }
  const versionOf = async (runtime: Runtime) =>
    (await app.runLong(runtimes[runtime]()[0], ["--version"])).match(/\d+\.\d+\.\d+/)![0];

  test.each(Object.keys(runtimes) as Runtime[])(
    "%s: the command, files, weights, data workers",
    { timeout: 120_000 },
    async (runtime) => {
      expect(await run(runtime, command, ["--version"])).toMatch(version);
      expect(JSON.parse(await run(runtime, "host.js"))).toEqual({ data: [1, 2, 3, 4], weights: [0.5, -2], loaded: [2, 4, 6] });
      report(`${runtime}, ${await versionOf(runtime)}`, "command, files, weights, data workers");
    },
  );

  test("node 20: the command says that it is too old", async () => {
    await expect(app.runLong(bin("node20", "bin", "node"), [command, "--version"])).rejects.toThrow(
      /ConfigError: this is Node 20\.[\d.]+, and voxgrad needs 22\.18 or later/,
    );
  });

  test.each(["node 22", "node of the tests"] as const)(
    "%s: require, in CommonJS, of a dataset in a worker too",
    async (runtime) => {
      expect(JSON.parse(await run(runtime, "require.cjs"))).toEqual({ found: entryPoints.length, loaded: [2, 4, 6] });
      report(`${runtime}, ${await versionOf(runtime)}`, "require of every entry point, data workers on a CommonJS module");
    },
  );

  test.each(["node 22", "node of the tests", "bun"] as const)(
    "%s without webgpu: the error says what to install",
    async (runtime) => {
      const { error } = JSON.parse(await run(runtime, "device.js"));
      expect(error).toMatch(/^NoAdapterError: .*run `npm install webgpu`/);
    },
  );

  test("deno without an adapter: the error says so", async () => {
    // A backend that this system cannot have.
    const backend = process.platform === "win32" ? "metal" : "dx12";
    const { error } = JSON.parse(await run("deno", "device.js", [], { DENO_WEBGPU_BACKEND: backend }));
    expect(error).toMatch(/^NoAdapterError: .*Deno's navigator\.gpu offers none/);
  });

  async function expectComputes(runtime: Runtime, by: string): Promise<void> {
    const { device, product, total, slopes, timed, losses, shared, error } = JSON.parse(await run(runtime, "device.js"));
    expect(error).toBeUndefined();
    expect(product).toEqual([7, 10, 15, 22]);
    expect(total).toBe(29_994);
    expect(slopes).toBe(3);
    expect(timed).toMatch(/square .* ms/);
    expect(shared).toEqual(runtime === "deno" ? [6, 6, 6] : []);
    expect(losses).toHaveLength(10);
    expect(losses.at(-1)).toBeLessThan(0.95 * losses[0]);
    report(`${runtime}, ${await versionOf(runtime)}`, `computes and trains by ${by}`, device);
  }

  test("deno computes by its own navigator.gpu", { timeout: 300_000 }, () => expectComputes("deno", "its navigator.gpu"));

  test("node and bun compute by webgpu", { timeout: 600_000 }, async () => {
    await app.runLong("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", "webgpu"]);
    for (const runtime of ["node 22", "node of the tests", "bun"] as const) await expectComputes(runtime, "webgpu");
  });
});
