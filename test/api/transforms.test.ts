/** @file docs/transforms.md: every transform, by what its comment says (which test/data/transforms/docs.test.ts holds it to) and by what it does. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { table } from "../../bench/gpu/markdown.ts";
import * as T from "../../src/data/transforms/index.ts";
import { makeVolume, type Volume } from "../../src/data/volume.ts";
import type { HostArray } from "../../src/host/array.ts";
import { RandomState } from "../../src/host/random/numpy.ts";
import { docOf, isTransform, label, line, samples, volume } from "../lib/transform_samples.ts";

const root = join(import.meta.dirname, "../../src/data/transforms");
const files = globSync("**/*.ts", { cwd: root }).map((file) => [file, readFileSync(join(root, file), "utf8")] as const);
const purposes: Readonly<Record<string, string>> = {
  crop: "crop",
  intensity: "intensity",
  augment: "intensity",
  io: "files",
  pad: "pad",
  points: "points",
  post: "results",
  regularization: "batches",
  shape: "shape, type",
  spatial: "space",
  utility: "tools",
};

/** What it is for: the folder that it is in. */
function purposeOf(name: string): string {
  const [file] = files.find(([, text]) => new RegExp(`^export class ${name}\\b`, "m").test(text))!;
  return purposes[file.split("/")[0]] ?? "several transforms";
}

/** The name that it has elsewhere. */
const originOf = (name: string): string => {
  const found = /(MONAI|TorchIO|Albumentations|nnU-Net|batchgenerators)'s `(\w+)`/.exec(docOf(name).replaceAll("\n", " "));
  return found ? `${found[1]} \`${found[2]}\`` : "";
};

/** What becomes of the place of a volume, and whether `invert` takes it back. */
function placeOf(name: string): string {
  if (!(line(docOf(name), "Geometry") ?? "").startsWith("kept")) return "";
  try {
    const moved = samples[name]?.(1).apply(volume) as Volume | undefined;
    if (!moved?.meta?.applied?.length) return "";
    T.invert(moved);
    return "yes";
  } catch {
    return "";
  }
}

const classes = Object.fromEntries(Object.entries(T)) as Readonly<Record<string, { readonly options?: string }>>;
const moves = new Set(["crop", "pad", "shape, type", "space"]);

// Floats, so that what is mixed shows.
const labels = makeVolume({ data: Float32Array.from(label.data), shape: label.shape }, volume.affine);

/** Whether a label map keeps its values. */
function keeps(transform: T.Transform, apply: (transform: T.Transform) => HostArray | HostArray[]): boolean {
  try {
    if (T.isRandomizable(transform)) transform.setRandomState(new RandomState(0));
    return [apply(transform)].flat().every(({ data }) => [...data].every((v) => v === 0 || v === 1 || v === 2));
  } catch {
    return false;
  }
}

/** What those that move voxels do to a label map that `onKeys` knows for one. */
function labelsOf(name: string): string {
  const purpose = purposeOf(name);
  if (!Object.hasOwn(samples, name) || !moves.has(purpose)) return "";
  const { options = "" } = classes[name];
  if (purpose !== "space" || !/\b(mode|gridMode|upsampleMode)\b/.test(options))
    return keeps(samples[name](1), (t) => t.apply(labels)) ? "as they are" : "";
  const given = { ...labels, meta: { kind: "label" as const } };
  const kept = keeps(
    samples[name](1),
    (t) => (T.onKeys(["label"], t).apply({ label: given }) as { readonly label: HostArray }).label,
  );
  // Its sample takes a slice of what it is given.
  return kept || name === "Rand2DElastic" ? "nearest" : "";
}

const yes = (value: boolean): string => (value ? "yes" : "");

test("the table of transforms is on record", async () => {
  const names = Object.values(T)
    .filter(isTransform)
    .map(({ name }) => name)
    .sort();
  const lines = names.map((name) => [
    `\`${name}\``,
    purposeOf(name),
    originOf(name),
    yes(line(docOf(name), "Draws") !== undefined),
    placeOf(name),
    labelsOf(name),
  ]);
  const text = `# Transforms

Made of what \`voxgrad/data\` exports by \`npm run api\`. _Random_: it draws, by the seed of its dataset. _Inverted_: it moves voxels, and \`invert\` takes a volume back. _Labels_: what
those that move voxels do to a label map under \`onKeys\`: move its voxels as they are, or take the nearest where they mix those of images. Others are for images, or for what networks give.

${table(["transform", "for", "elsewhere", "random", "inverted", "labels"], lines)}
`;
  const changed = "docs/transforms.md is out of date: run `npm run api`";
  await expect(text, changed).toMatchFileSnapshot("../../docs/transforms.md");
});
