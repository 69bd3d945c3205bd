/** @file Damaged DICOM files: bytes changed, cut and repeated; each is read or refused by a typed error, in time and memory that fit its size. */

import { deflateRawSync } from "node:zlib";
import { expect } from "vitest";
import {
  makeVolume,
  readDicomSegmentation,
  readDicomStructures,
  readSeries,
  writeDicomSegmentation,
  writeDicomStructures,
} from "../../../../src/data/index.ts";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { DataError, FormatError } from "../../../../src/host/errors.ts";
import { RandomState } from "../../../../src/host/random/numpy.ts";
import { dicomSlice, encodings, frameGroups, imageFile, rleFrame, type SliceOptions } from "../../../lib/dicom_file.ts";
import { mosaic } from "../../../lib/mosaic_file.ts";
import { processorTime } from "../../../lib/processor_time.ts";

const enhanced: SliceOptions = {
  pixels: Array.from({ length: 18 }, (_, i) => i),
  more: { 0x00200032: undefined, 0x00280008: ["IS", "3"], 0x52009230: ["SQ", [0, 4, 8].map((z) => frameGroups(z, -5))] },
};

const rle: SliceOptions = {
  encoding: encodings.rle,
  more: { 0x7fe00010: ["OB", { fragments: [new Uint8Array(0), rleFrame(new Uint8Array(12).fill(1))] }] },
};

const deflatedFrames: SliceOptions = {
  encoding: encodings.deflatedFrames,
  more: { 0x7fe00010: ["OB", { fragments: [new Uint8Array(0), new Uint8Array(deflateRawSync(new Uint8Array(12)))] }] },
};

const seeds: readonly Uint8Array<ArrayBuffer>[] = [
  ...Object.values({ ...encodings, rle: encodings.explicit, deflatedFrames: encodings.explicit }).map((encoding) =>
    dicomSlice({ encoding }),
  ),
  ...[encodings.explicit, encodings.delimited, encodings.implicit, encodings.deflated].map((encoding) =>
    dicomSlice({ ...enhanced, encoding }),
  ),
  dicomSlice(rle),
  dicomSlice(deflatedFrames),
  dicomSlice(mosaic()),
];

const series = [1, 2, 3].map((instance) => imageFile(dicomSlice({ instance })));
const image = await readSeries(series);
const labels = makeVolume({ data: Uint8Array.from({ length: 18 }, (_, i) => (i * 5) % 3), shape: image.shape }, image.affine);
const classes = ["background", "liver", "kidney"].map((name, i) => ({ name, values: [i] }));

/** Files, and what reads them. */
const readers = [
  ...seeds.map((bytes) => ({ bytes, read: readDicom })),
  {
    bytes: await writeDicomSegmentation(labels, { like: series, classes }),
    read: async (file: ReturnType<typeof imageFile>) => (await readDicomSegmentation(file, { like: image })).labels,
  },
  {
    bytes: await writeDicomStructures(labels, { like: series, classes }),
    read: async (file: ReturnType<typeof imageFile>) => (await readDicomStructures(file, { like: image })).labels,
  },
];

/** Where changing a byte does most: lengths, tags, counts. */
const telling = [0, 1, 2, 4, 8, 16, 0x7f, 0x80, 0xfe, 0xff];

function damaged(seed: Uint8Array, random: RandomState): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(seed);
  const place = (): number => 128 + random.randint(0, bytes.length - 128);
  const changes = random.randint(1, 6);
  for (let i = 0; i < changes; i++) {
    const kind = random.randint(0, 4);
    if (kind === 0) bytes[place()] = random.randint(0, 256);
    else if (kind === 1) bytes[place()] = telling[random.randint(0, telling.length)];
    else if (kind === 2) bytes.fill(0xff, place(), place());
    else bytes.copyWithin(place(), place(), place());
  }
  return random.randint(0, 4) === 0 ? bytes.slice(0, random.randint(0, bytes.length)) : bytes;
}

/** Reads so many damaged files. Gives how many were refused. */
export async function fuzzDicom(count: number, seed: number): Promise<number> {
  const random = new RandomState(seed);
  let refused = 0;
  let slowest = 0;
  for (let i = 0; i < count; i++) {
    const { bytes: seedBytes, read: readOne } = readers[i % readers.length];
    const bytes = damaged(seedBytes, random);
    let isRefused = false;
    const read = async () => {
      try {
        const { data } = await readOne(imageFile(bytes));
        // Deflated and packed pixels are larger than their files; scaled ones may have eight bytes for one.
        expect(data.byteLength, `file ${i}`).toBeLessThanOrEqual(Math.max(8 * bytes.length, 64 * 1024));
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof DataError))
          throw new Error(`file ${i} of seed ${seed}`, { cause: error });
        isRefused = true;
      }
    };
    slowest = Math.max(slowest, await processorTime(read));
    if (isRefused) refused++;
  }
  expect(slowest).toBeLessThan(1000);
  return refused;
}
