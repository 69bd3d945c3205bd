/** @file What the viewer shows is so: letters stand on the patient's own sides in both conventions, windows make values black and white, colors are colors, and what is no number is not black. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { en } from "../../app/text/en.ts";
import { makeVolume, readImage, type Volume, writeImage, writeNifti } from "../../src/data/index.ts";
import { openSite, type Site, Visit } from "./site.ts";

let site: Site;
let visit: Visit;

beforeAll(async () => {
  site = await openSite();
  visit = await Visit.start(site);
  visit.page.setDefaultTimeout(60_000);
});

afterAll(() => site?.close());

type Affine = Volume["affine"];
type Rgb = readonly [number, number, number];

/** Drops a file and waits until it is drawn. */
async function look(name: string, bytes: Uint8Array): Promise<void> {
  const { page } = visit;
  await visit.drop("#drop-scan", [{ name, bytes }]);
  await page.locator(".row:has(input[name=scan]:checked)").getByText(name.split(".")[0], { exact: true }).waitFor();
  await page.waitForFunction(() => !document.querySelector(".progress"));
  await page
    .locator(".place")
    .getByText(/ mm|pixel/)
    .waitFor();
}

/** The canvas as it is seen, `[3 or 4, width, height, 1]`; once it no longer changes. */
async function seen(): Promise<Volume> {
  const canvas = visit.page.locator(".canvas");
  let before = "";
  for (;;) {
    const bytes = await canvas.screenshot();
    if (before === bytes.toString("base64")) return readImage(new Uint8Array(bytes), { name: "seen.png" });
    before = bytes.toString("base64");
    await visit.page.waitForTimeout(300);
  }
}

/** The color of a place, as parts of width and height. */
function colorAt({ data, shape: [, width, height] }: Volume, x: number, y: number): Rgb {
  const at = Math.round(x * width) * height + Math.round(y * height);
  return [0, 1, 2].map((c) => data[c * width * height + at]) as unknown as Rgb;
}

/** Pixels of a kind, and the mean of their places as parts of the width. */
function found(picture: Volume, is: (color: Rgb) => boolean, from = 0, to = 1): { count: number; x: number } {
  const [, width, height] = picture.shape;
  let [count, sum] = [0, 0];
  for (let x = Math.floor(from * width); x < to * width; x++)
    for (let y = 0; y < height; y++) {
      if (!is(colorAt(picture, x / width, y / height))) continue;
      count++;
      sum += x / width;
    }
  return { count, x: sum / count };
}

const yellow = ([r, g, b]: Rgb): boolean => r > 180 && g > 140 && b < 110;
const white = ([r, g, b]: Rgb): boolean => r > 240 && g > 240 && b > 240;

const size = 40;

/** A chest of air, tissue and, at small first indices, bone. */
function chest(affine: Affine): Volume {
  const data = new Int16Array(size ** 3).fill(-1000);
  for (let x = 0, i = 0; x < size; x++)
    for (let y = 0; y < size; y++)
      for (let z = 0; z < size; z++, i++) {
        if (Math.hypot(x - 20, y - 20) < 17) data[i] = 40;
        if (x >= 8 && x < 13 && y >= 18 && y < 23) data[i] = 1500;
      }
  return makeVolume({ data, shape: [1, size, size, size] }, affine);
}

const toRight: Affine = [
  [2, 0, 0, -40],
  [0, 2, 0, -40],
  [0, 0, 2, -40],
  [0, 0, 0, 1],
];
const toLeft: Affine = [[-2, 0, 0, 40], ...toRight.slice(1)];

test.for([
  ["first voxels on the left of the patient", toRight, "right", "left"],
  ["first voxels on the right of the patient", toLeft, "left", "right"],
] as const)("bone in the %s: letters and image agree in both conventions", async ([, affine, radiological, neurological]) => {
  const { page } = visit;
  await look(`${radiological}.nii.gz`, await writeNifti(chest(affine), { gzip: true }));
  await page.getByText(en["viewer.axial"], { exact: true }).click();
  for (const [convention, side, leftLetter] of [
    ["radiological", radiological, "R"],
    ["neurological", neurological, "L"],
  ] as const) {
    await page.getByLabel(en["viewer.sides"]).selectOption(convention);
    const picture = await seen();
    const bone = found(picture, white);
    expect(bone.count).toBeGreaterThan(100);
    expect(bone.x < 0.5 ? "left" : "right", convention).toBe(side);
    // An R has more ink than an L, of which both are there.
    const [left, right] = [found(picture, yellow, 0, 0.45).count, found(picture, yellow, 0.55, 1).count];
    expect(Math.min(left, right)).toBeGreaterThan(8);
    expect(left > right ? "R" : "L", convention).toBe(leftLetter);
  }
  // The letter R of the radiological picture stands where x, told beside, is greatest.
  await page.getByLabel(en["viewer.sides"]).selectOption("radiological");
  const x = async () => Number.parseFloat(await page.locator(".place span").first().innerText());
  const before = await x();
  await page.locator(".canvas").focus();
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction((was) => Number.parseFloat(document.querySelector(".place span")!.textContent!) !== was, before);
  expect(await x()).toBeGreaterThan(before);
});

test("windows of a CT: what is tissue has the gray that level and width give it, and a level can be typed", async () => {
  const { page } = visit;
  await look("tissue.nii.gz", await writeNifti(chest(toRight), { gzip: true }));
  await page.locator(".place").getByText(/ HU$/).waitFor();
  await page.getByText(en["viewer.axial"], { exact: true }).click();
  const gray = async (): Promise<number> => colorAt(await seen(), 0.55, 0.62)[0];
  for (const [name, level, width] of [
    ["lung", "-600", "1500"],
    ["abdomen", "50", "400"],
    ["bone", "400", "1800"],
  ] as const) {
    await page.getByLabel(en["viewer.window"]).selectOption(name);
    expect([await page.getByLabel("Level").inputValue(), await page.getByLabel("Width").inputValue()]).toEqual([level, width]);
    const expected = 255 * ((40 - Number(level)) / Number(width) + 0.5);
    expect(Math.abs((await gray()) - expected), name).toBeLessThan(4);
  }
  await page.getByLabel("Level").fill("40");
  await page.getByLabel("Level").press("Enter");
  expect(await page.getByLabel(en["viewer.window"]).inputValue()).toBe("own");
  expect(Math.abs((await gray()) - 127.5)).toBeLessThan(4);
  expect(await visit.findings()).toEqual([]);
});

test("what is no number is violet, and is called so under the crosshair", async () => {
  const { page } = visit;
  const data = Float32Array.from({ length: size ** 3 }, (_, i) => (i < size ** 3 / 2 ? NaN : (i % 997) / 997));
  await look("nan.nii.gz", await writeNifti(makeVolume({ data, shape: [1, size, size, size] }, toRight), { gzip: true }));
  await page.locator(".place").getByText(en["viewer.marks"]).waitFor();
  await page.getByText(en["viewer.axial"], { exact: true }).click();
  await page.getByLabel(en["viewer.sides"]).selectOption("neurological");
  const picture = await seen();
  const violet = ([r, g, b]: Rgb): boolean => Math.abs(r - 92) < 12 && Math.abs(g - 30) < 12 && Math.abs(b - 96) < 12;
  expect(found(picture, violet, 0, 0.45).count).toBeGreaterThan(1000);
  expect(found(picture, violet, 0.55, 1).count).toBe(0);
  await page.locator(".canvas").focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
  await page.locator(".place").getByText(en["viewer.noNumber"]).waitFor();
});

test("a picture has its colors, its first row above and no side; each channel can be seen alone", async () => {
  const { page } = visit;
  // Red above, blue below.
  const data = Uint8Array.from({ length: 3 * 30 * 20 }, (_, i) => {
    const [c, y] = [Math.floor(i / 600), i % 20];
    return (c === 0 && y < 10) || (c === 2 && y >= 10) ? 255 : 0;
  });
  const [{ bytes }] = await writeImage("photo.png", makeVolume({ data, shape: [3, 30, 20, 1] }));
  await look("photo.png", bytes);
  await page.getByText("3 × 30 × 20 pixels").waitFor();
  await page.getByText(en["viewer.unplaced"]).waitFor();
  const picture = await seen();
  expect(colorAt(picture, 0.6, 0.3)).toEqual([255, 0, 0]);
  expect(colorAt(picture, 0.6, 0.7)).toEqual([0, 0, 255]);
  expect(found(picture, yellow).count).toBe(0);
  await page.getByLabel(en["viewer.channel"]).selectOption({ label: "3 of 3" });
  await page
    .locator(".place")
    .getByText(/^value (0|255)$/)
    .waitFor();
  const blue = await seen();
  expect(colorAt(blue, 0.6, 0.3)).toEqual([0, 0, 0]);
  expect(colorAt(blue, 0.6, 0.7)).toEqual([255, 255, 255]);
  await visit.end();
});
