/** @file Gzip of several members, and with zeros behind, in a page: its decompressor takes one member and nothing behind it. */

import { encodeNifti, makeVolume, readNifti } from "../../src/data/index.ts";

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Whether a volume packed in each of these ways is read as it was. */
export async function readsPacked(): Promise<Record<string, boolean | string>> {
  const data = Int16Array.from({ length: 30_000 }, (_, i) => (i * 7919) % 30_011);
  const bytes = encodeNifti(makeVolume({ data, shape: [1, 10, 30, 100] }));
  const whole = await gzip(bytes);
  const parts = await Promise.all([0, 200, 9000].map((from, i, all) => gzip(bytes.slice(from, all[i + 1]))));
  const ways = {
    "one member": [whole],
    "three members": parts,
    "zeros behind": [whole, new Uint8Array(512)],
    "three members and zeros": [...parts, new Uint8Array(70_000)],
  };
  const found: Record<string, boolean | string> = {};
  for (const [name, pieces] of Object.entries(ways)) {
    found[name] = await readNifti(new Blob(pieces as Uint8Array<ArrayBuffer>[])).then(
      (volume) => volume.data.every((v, i) => v === data[i]),
      String,
    );
  }
  return found;
}
