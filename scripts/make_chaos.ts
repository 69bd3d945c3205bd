/**
 * @file Writes a folder in CHAOS's layout: DICOM slices and label pictures of phantom abdomens whose tissue is textured by real volumes, one each.
 *
 *     node scripts/setup.mjs --no-gpu -- node --conditions=voxgrad-source scripts/make_chaos.ts OUT [--texture DIR] [--patients 15] [--size 96,96,12] [--sequences T1DUAL,T2SPIR] [--seed 0]
 *
 * --texture is a folder of volumes, such as imagesTr of the Decathlon's hippocampus.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readImageFile } from "../src/data/formats/images.node.ts";
import type { ChaosSequence } from "../src/data/folders/chaos.ts";
import type { HostArray } from "../src/host/array.ts";
import { writeChaosFolder } from "../test/lib/chaos_folder.ts";

const text = { type: "string" } as const;
const { values, positionals } = parseArgs({
  options: { texture: text, patients: text, size: text, sequences: text, seed: text },
  allowPositionals: true,
});
const [out] = positionals;
if (out === undefined) throw new Error("give the folder to write");
const count = Number(values.patients ?? 15);
const size = (values.size ?? "96,96,12").split(",").map(Number) as [number, number, number];
const { texture } = values;
const images = texture === undefined ? [] : readdirSync(texture).filter((n) => n.endsWith(".nii.gz") && !n.startsWith("."));
const textures = new Map<number, HostArray>();
for (let p = 1; p <= count && images.length > 0; p++)
  textures.set(p, await readImageFile(join(texture!, images[(p - 1) % images.length])));
await writeChaosFolder(out, {
  patients: Array.from({ length: count }, (_, i) => i + 1),
  size,
  sequences: (values.sequences ?? "T1DUAL,T2SPIR").split(",") as ChaosSequence[],
  textureOf: (p) => textures.get(p),
  seed: Number(values.seed ?? 0),
});
process.stdout.write(`${out}: ${count} patients\n`);
