/** @file For who has no mouse, sees little or nothing: the focus is where it was, what is done is told, and at 200 % there is room. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { en } from "../../app/text/en.ts";
import { openSite, sampleInSlices, type Site, Visit } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

test("the focus stays where it was while something runs, and goes back from what is gone; what is done is told", async () => {
  const visit = await Visit.start(site);
  const { page } = visit;
  const few = await sampleInSlices(4);
  for (const name of ["one.nii.gz", "two.nii.gz"]) {
    await visit.drop("#drop-scan", [{ name, bytes: few }]);
    await page.locator(".row:has(input[name=scan]:checked)").getByText(name.split(".")[0]).waitFor();
    await page.waitForFunction(() => !document.querySelector(".progress"));
  }
  const focused = () =>
    page.evaluate(
      () =>
        (document.activeElement as HTMLElement & { labels?: NodeListOf<HTMLElement> }).labels?.[0]?.innerText.slice(0, 3) ??
        document.activeElement!.textContent,
    );
  await page.getByRole("radio", { name: /^two/ }).focus();
  for (const name of ["one", "two"]) {
    await page.keyboard.press("ArrowDown");
    await page
      .locator(".row:has(input[name=scan]:checked)")
      .getByText(/ voxels of /)
      .waitFor();
    await expect.poll(focused).toBe(name);
  }
  const said = page.locator("#app > [role=status]");
  await page.getByRole("button", { name: "Segment", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".results");
  await expect.poll(focused).toBe(en["segment.again"]);
  expect(await said.innerText()).toMatch(/^Segmented by Balls in [\d.]+ s\. .* ml$/);
  await visit.drop("#drop-scan", [{ name: "letter.txt", bytes: Buffer.from("no image") }]);
  await page.getByRole("button", { name: "Close" }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(focused).toBe(en["segment.again"]);
  await visit.end();
}, 300_000);

test("a page that is zoomed in to 200 % leaves the viewer room to look at", async () => {
  const visit = await Visit.start(site, "segment", { viewport: { width: 683, height: 384 }, deviceScaleFactor: 2 });
  await visit.page.getByRole("button", { name: "Use a sample" }).click();
  await visit.page.waitForSelector(".viewer[data-drawn='0']");
  expect((await visit.page.locator(".canvas").boundingBox())!.height).toBeGreaterThan(250);
  await visit.end();
});
