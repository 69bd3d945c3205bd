/** @file Next.js: `next build` with Turbopack, without `webgpu` and with it; the built app serves files, data workers and the device, and its page computes. */

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../lib/chromium.ts";
import { addFixtures, describeMatrix, report, versionOf } from "../../lib/matrix.ts";
import { type App, installWith } from "../../lib/package.ts";

describeMatrix("Next.js", () => {
  let app: App;
  let browser: Browser;

  beforeAll(async () => {
    app = await installWith(["next", "react", "react-dom"]);
    for (const name of ["layout.js", "page.js", "viewer.js"]) addFixtures(app, `next/${name}`, `app/${name}`);
    addFixtures(app, "next/route.js", "app/api/route.js");
    addFixtures(app, "bundle/dataset.js", "dataset.js");
    browser = await launchChromium();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    app?.remove();
  });

  const next = join("node_modules", "next", "dist", "bin", "next");
  const env = () => ({ DATASET: join(app.folder, "dataset.js"), NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" });

  async function serve(): Promise<{ url: string; server: ChildProcess }> {
    const server = spawn(process.execPath, [next, "start", "--port", "0"], { cwd: app.folder, env: { ...app.env, ...env() } });
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      const hear = (text: Buffer) => {
        said += text;
        const found = said.match(/http:\/\/localhost:\d+/);
        if (found && said.includes("Ready")) resolve(found[0]);
      };
      server.stdout.on("data", hear);
      server.stderr.on("data", hear);
      server.on("exit", () => reject(new Error(`next start: ${said}`)));
    });
    return { url, server };
  }

  test.each([false, true])("webgpu installed: %s", { timeout: 900_000 }, async (webgpu) => {
    if (webgpu)
      await app.runLong("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", "webgpu"]);
    rmSync(join(app.folder, ".next"), { recursive: true, force: true });
    const built = await app.runLong(process.execPath, [next, "build", "--turbopack"], env());
    expect(built).toMatch(/Turbopack[^]*Compiled successfully/);

    const { url, server } = await serve();
    try {
      const answer = (await (await fetch(`${url}/api`)).json()) as { data: number[]; sum: unknown; loaded: unknown };
      expect(answer).toMatchObject({ data: [1, 2, 3, 4], loaded: [2, 4, 6] });
      if (webgpu) expect(answer.sum).toBe(2);
      else expect(answer.sum).toMatch(/^NoAdapterError: .*npm install webgpu/);

      expect(await (await fetch(url)).text()).toContain("<p>waiting</p>");
      const page = await browser.newPage();
      await page.goto(url);
      await page.waitForFunction(`document.querySelector("p").textContent !== "waiting"`);
      expect(await page.textContent("p")).toBe("0 2 function true 1 2 2 2 function function");
      await page.close();
    } finally {
      server.removeAllListeners("exit");
      const over = new Promise((resolve) => server.on("exit", resolve));
      server.kill();
      await over;
    }
    const device = webgpu ? "computes on the device" : "says what to install for a device";
    report(
      `Next.js ${versionOf(app, "next")}, Turbopack, ${webgpu ? "with" : "without"} webgpu`,
      "builds, prerenders; in Chromium the client component computes",
      `route handler: files, data workers; ${device}`,
    );
  });
});
