/** @file The page as a page: what it weighs, that it works offline, by keyboard, for screen readers, in two languages, and what it says without a GPU. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { headers, metaPolicy } from "../../app/policy.ts";
import { en } from "../../app/text/en.ts";
import { zh } from "../../app/text/zh.ts";
import { makeVolume, writeNifti } from "../../src/data/index.ts";
import * as voxgrad from "../../src/index.ts";
import { openSite, sampleInSlices, type Site, Visit } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

test("the first load is at most 300 KiB, packed, without the viewer", async () => {
  const paths = new Set<string>();
  const visit = await Visit.start(site, "segment", { serviceWorkers: "block" });
  visit.context.on("request", (request) => paths.add(new URL(request.url()).pathname.slice(1) || "index.html"));
  await visit.page.reload();
  await visit.ready();
  await visit.page.getByRole("radio", { name: /Balls/ }).waitFor();
  await visit.page.waitForTimeout(500);
  const total = [...paths].reduce((sum, path) => sum + gzipSync(readFileSync(join(site.folder, path))).length, 0);
  console.log(`first load: ${(total / 1024).toFixed(0)} KiB in ${paths.size} files`);
  expect(paths.size).toBeGreaterThan(4);
  expect([...paths].filter((path) => /niivue|uPlot/i.test(path))).toEqual([]);
  expect(total).toBeLessThan(300 * 1024);
  await visit.end();
});

test("it works offline after the first visit", async () => {
  const visit = await Visit.start(site);
  const { page, context } = visit;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await context.setOffline(true);
  await page.reload();
  await visit.ready();
  await page.getByRole("button", { name: "Use a sample" }).click();
  await page.waitForSelector(".viewer[data-drawn='0']");
  await page.getByRole("button", { name: "Segment", exact: true }).click();
  await page.waitForSelector(".results");
  await page.getByRole("link", { name: "Train" }).click();
  await page.getByRole("button", { name: "Use synthetic data" }).click();
  await page.getByText("Settings").waitFor();
  await context.setOffline(false);
  await visit.end();
}, 300_000);

describe("for everybody", () => {
  // Both of each in two visits: colors, languages, sizes of a screen and of a phone.
  test.each([
    { colorScheme: "light", locale: "en", viewport: { width: 1280, height: 800 }, words: en },
    { colorScheme: "dark", locale: "zh-CN", viewport: { width: 320, height: 700 }, words: zh },
  ] as const)(
    "axe-core finds nothing serious, and nothing sticks out: $colorScheme, $locale, $viewport.width × $viewport.height",
    async ({ words, ...options }) => {
      const visit = await Visit.start(site, "segment", options);
      const { page } = visit;
      await page.getByRole("radio", { name: /Balls/ }).waitFor();
      const look = async (): Promise<void> => {
        expect(await visit.findings()).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      };
      await look();
      await page.getByRole("button", { name: words["drop.sample"] }).waitFor();
      await visit.drop("#drop-scan", [{ name: "few.nii.gz", bytes: await sampleInSlices(8) }]);
      await page.waitForSelector(".viewer[data-drawn='0']");
      await page.getByRole("button", { name: words["segment.run"], exact: true }).click();
      await page.waitForSelector(".results");
      // On paper it is dark on white, and has the result and what is said of it.
      await page.emulateMedia({ media: "print" });
      expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe("rgb(22, 35, 46)");
      expect(await page.locator(".structures, .tools, footer").evaluateAll((all) => all.every((e) => e.checkVisibility()))).toBe(
        true,
      );
      expect(await page.locator(".drop, header").evaluateAll((all) => all.some((e) => e.checkVisibility()))).toBe(false);
      await page.emulateMedia({ media: "screen" });
      await visit.drop("#drop-scan", [{ name: "letter.txt", bytes: Buffer.from("no image") }]);
      await page.getByText(words["error.Format"]).waitFor();
      expect(await page.locator(".failure [lang=en]").innerText()).toContain("letter.txt is no image");
      expect(await page.getByRole("alert").innerText()).toContain(words["error.detail"].trim());
      await look();
      await page.getByRole("link", { name: words["view.train"] }).click();
      await page.getByRole("button", { name: words["train.synthetic"] }).click();
      await page.getByText(words["train.settings"], { exact: true }).click();
      await look();
      await page.getByRole("link", { name: words["view.look"] }).click();
      await page.getByText(words["look.folders"]).waitFor();
      await look();
      await visit.end();
    },
    300_000,
  );

  test("by keyboard alone, from the first tab to a structure that is hidden", async () => {
    const visit = await Visit.start(site);
    const { page } = visit;
    await page.getByRole("radio", { name: /Balls/ }).waitFor();
    /** Presses Tab until an element of this name has the focus. */
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        const [focused, outlined] = await page.evaluate(() => {
          const at = document.activeElement as HTMLElement;
          const label = (at as HTMLInputElement).labels?.[0]?.innerText;
          return [at.ariaLabel ?? label ?? at.innerText ?? "", getComputedStyle(at).outlineStyle !== "none"] as const;
        });
        if (!name.test(focused)) continue;
        expect(outlined, `${focused} shows that it has the focus`).toBe(true);
        return;
      }
      throw new Error(`no tab leads to ${name}`);
    };
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe(en["app.skip"]);
    await tabTo(/Use a sample/);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".viewer[data-drawn='0']");
    await tabTo(/^Segment$/);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".results");
    await tabTo(/Show bright/);
    await page.keyboard.press("Space");
    expect(await page.getByRole("checkbox", { name: "Show bright" }).isChecked()).toBe(false);
    await tabTo(/Image viewer/);
    const place = page.locator(".place");
    const before = await place.innerText();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((text) => document.querySelector<HTMLElement>(".place")!.innerText !== text, before);
    await page.keyboard.press("2");
    expect(await page.getByRole("radio", { name: "Axial" }).isChecked()).toBe(true);
    // In a coronal plane up is up, and not through the slices.
    await page.keyboard.press("3");
    const at = async (): Promise<number[]> =>
      (await place.innerText())
        .match(/-?\d+\.\d/g)!
        .slice(0, 3)
        .map(Number);
    const [x, y, z] = await at();
    for (const [key, want] of [
      ["ArrowUp", [x, y, z + 1]],
      ["PageDown", [x, y - 1, z + 1]],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(at, { timeout: 60_000 }).toEqual(want);
    }
    await visit.end();
  }, 300_000);

  test("by mouse: a press moves the crosshair, the wheel goes through the slices", async () => {
    const visit = await Visit.start(site);
    const { page } = visit;
    await page.getByRole("button", { name: "Use a sample" }).click();
    await page.waitForSelector(".viewer[data-drawn='0']");
    await page.locator(".layouts").getByText("Axial").click();
    const place = page.locator(".place");
    const at = async (): Promise<number[]> =>
      (await place.innerText())
        .match(/-?\d+\.\d/g)!
        .slice(0, 3)
        .map(Number);
    const { x, y, width, height } = (await page.locator(".viewer .canvas").boundingBox())!;
    const [right, front, up] = await at();
    await page.mouse.click(x + width * 0.6, y + height * 0.3);
    // The patient's left, as radiologists look at it.
    await expect.poll(async () => (await at())[0], { timeout: 60_000 }).toBeLessThan(right);
    expect((await at())[1]).toBeGreaterThan(front);
    expect((await at())[2]).toBe(up);
    await page.mouse.wheel(0, 120);
    await expect.poll(async () => (await at())[2], { timeout: 60_000 }).not.toBe(up);
    expect(await page.locator(".place .bad").count()).toBe(0);
    // In the coronal plane, though the page was not painted since that was chosen.
    const [, behind, axial] = await at();
    await page.evaluate(async () => {
      const [, , coronal] = document.querySelectorAll<HTMLInputElement>(".layouts input");
      const canvas = document.querySelector(".viewer .canvas")!;
      const { x, y, width, height } = canvas.getBoundingClientRect();
      coronal.click();
      await new Promise((rendered) => setTimeout(rendered));
      const at = { clientX: x + width / 2, clientY: y + height / 2 };
      canvas.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: 120, cancelable: true }));
    });
    await expect.poll(async () => (await at())[1], { timeout: 60_000 }).not.toBe(behind);
    expect((await at())[2]).toBe(axial);
    await visit.end();
  }, 300_000);

  test("in Chinese, by the browser's language and by choice", async () => {
    const visit = await Visit.start(site, "train", { locale: "zh-CN" });
    const { page } = visit;
    await page.getByRole("heading", { name: zh["train.title"] }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh");
    await page.getByRole("combobox", { name: zh["app.language"] }).selectOption("en");
    await page.getByRole("heading", { name: en["train.title"] }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: en["train.title"] }).waitFor();
    await visit.end();
  });

  test("every text has its words, with the same gaps, in both languages", () => {
    const gaps = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
    for (const [key, text] of Object.entries(zh)) {
      expect(text.trim(), key).not.toBe("");
      expect(gaps(text), key).toEqual(gaps(en[key as keyof typeof en]));
    }
  });
});

test("every kind of error of the library has words that say what it is and what to do", () => {
  const codes = Object.values(voxgrad as Record<string, unknown>).flatMap((value) =>
    typeof value === "function" && value.prototype instanceof voxgrad.VoxgradError ? [(value.prototype as Error).name] : [],
  );
  expect(codes.length).toBeGreaterThan(10);
  for (const name of codes) expect(en).toHaveProperty([`error.${name.replace(/Error$/, "")}`]);
});

test("a new version waits until it is wanted, and the site's models are those that it has now", async () => {
  const visit = await Visit.start(site);
  const { page } = visit;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const [worker, index] = ["sw.js", "models/index.json"].map((path) => join(site.folder, path));
  const [script, models] = [worker, index].map((path) => readFileSync(path, "utf8"));
  const named = async (name: RegExp): Promise<void> => page.getByRole("radio", { name }).waitFor();
  try {
    writeFileSync(index, models.replace('"Balls"', '"Spheres"'));
    await page.reload();
    await named(/^Spheres/);
    expect(await page.getByText(en["app.update"]).count()).toBe(0);
    await visit.context.setOffline(true);
    await page.reload();
    await named(/^Spheres/);
    await visit.context.setOffline(false);

    writeFileSync(worker, script.replace(/[0-9a-f]{12}/, "0123456789ab"));
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.update().then(() => undefined));
    const kept = (): Promise<string[]> => page.evaluate(() => caches.keys());
    await page.getByText(en["app.update"]).waitFor();
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: en["app.updateNow"] }).click()]);
    await visit.ready();
    expect(await page.getByText(en["app.update"]).count()).toBe(0);
    // What a tab was opened with may still be asked for: it stays for one version more.
    expect(await kept()).toContain("voxgrad-0123456789ab");
    expect(await kept()).toHaveLength(2);
  } finally {
    writeFileSync(worker, script);
    writeFileSync(index, models);
  }
  await visit.end();
});

test("without WebGPU it says which browsers have it", async () => {
  const context = await site.browser.newContext({ locale: "en" });
  // Workers are out of reach of init scripts, so that the page's worker is given one that has none.
  await context.route("**/assets/main-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      body: `Object.defineProperty(navigator, "gpu", { value: undefined });${await response.text()}`,
    });
  });
  const page = await context.newPage();
  await page.goto(site.url);
  await page.getByRole("heading", { name: en["nogpu.title"] }).waitFor();
  await page.getByRole("link", { name: en["nogpu.look"] }).click();
  await page.getByRole("button", { name: en["look.compare"] }).waitFor();
  // A script still on its way (the service worker asks for it too) would have lost its response.
  await context.unrouteAll({ behavior: "wait" });
  await context.close();
});

test("a policy in the page and in the headers, without eval and without styles of elements", async () => {
  const response = await fetch(site.url);
  expect(response.headers.get("content-security-policy")).toBe(headers["Content-Security-Policy"]);
  expect(await response.text()).toContain(`content="${metaPolicy.replaceAll("'", "&#39;")}"`);
  expect(metaPolicy).toContain("default-src 'self'");
  expect(metaPolicy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
});

test("two folders of label maps are compared, worst first", async () => {
  const visit = await Visit.start(site, "look");
  const { page } = visit;
  const map = async (shift: number) => {
    const data = Uint8Array.from({ length: 20 ** 3 }, (_, i) => (Math.abs((i % 20) - 10 - shift) < 4 ? 2 : 0));
    return writeNifti(makeVolume({ data, shape: [1, 20, 20, 20] }), { dtype: "u8" });
  };
  const [still, near, far] = await Promise.all([0, 1, 4].map(map));
  await visit.drop(
    "#drop-truth",
    ["a", "b", "c"].map((name) => ({ name: `${name}.nii`, bytes: still })),
  );
  await visit.drop("#drop-prediction", [
    { name: "a.nii", bytes: near },
    { name: "b.nii", bytes: far },
    { name: "c.nii", bytes: still },
  ]);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.waitForSelector(".viewer[data-drawn='2']");
  expect(await page.locator(".cases tbody th").allInnerTexts()).toEqual(["b", "a", "c"]);
  expect(await page.locator(".cases tbody td:nth-child(2)").allInnerTexts()).toEqual(["0.429", "0.857", "1.000"]);
  await page.getByRole("button", { name: "c", exact: true }).click();
  await page.waitForSelector("tr.chosen >> text=c");
  // Both have colors of their own, which the table tells; each alone is filled.
  const swatches = page.locator(".cases thead .swatch i");
  const styles = await swatches.evaluateAll((all) => all.map((i) => [i.style.background, i.style.boxShadow].join("|")));
  expect(styles).toEqual(["rgb(255, 140, 0)|", expect.stringContaining("rgb(0, 229, 255)")]);
  await page.getByText(en["look.legend"]).waitFor();
  await page.locator(".layouts.sides").getByText(en["look.truth"], { exact: true }).click();
  await page.waitForSelector(".viewer[data-drawn='1']");
  expect(await swatches.count()).toBe(1);
  await visit.end();
});
