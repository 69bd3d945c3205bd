/**
 * @file Reads damaged image files of all formats: `node --conditions=voxgrad-source test/data/formats/fuzz.ts COUNT [SEED]`. Prints what went wrong, and
 * the slowest and the most greedy reading. A process of its own, since what is allocated is counted where arrays are made.
 */

import { readFileSync } from "node:fs";

/** Bytes asked for by the reading at hand, beside those of the platform's streams. */
let asked = 0;
for (const name of [
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
] as const) {
  const counted: any = new Proxy(globalThis[name] as any, {
    construct(target, args, newTarget): object {
      const [first] = args;
      if (typeof first === "number") asked += first * target.BYTES_PER_ELEMENT;
      return Reflect.construct(target, args, newTarget === counted ? target : newTarget);
    },
  });
  (globalThis as any)[name] = counted;
}

// Behind the arrays that are counted.
const { readImage, writeImage } = await import("../../../src/data/formats/read_image.ts");
const { makeVolume } = await import("../../../src/data/volume.ts");
const { RandomState } = await import("../../../src/host/random/numpy.ts");
const { VoxgradError } = await import("../../../src/host/errors.ts");
const { innerDamage } = await import("./inner_damage.ts");
const { processorTime } = await import("../../lib/processor_time.ts");

const [count, seed] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 0)];
const random = new RandomState(seed);
const below = (n: number): number => Math.floor(random.rand() * n);

interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Voxels that do not pack, so that no honest file is much smaller than its volume. */
async function samples(): Promise<Sample[][]> {
  const data = Int16Array.from({ length: 360 }, () => below(65536) - 32768);
  const volume = makeVolume({ data, shape: [2, 3, 6, 10] });
  const written = await Promise.all(
    [
      ["a.nii"],
      ["a.nii.gz"],
      ["a.nrrd"],
      ["a.nrrd", false],
      ["a.nhdr"],
      ["a.mha"],
      ["a.mha", true],
      ["a.mhd"],
      ["a.mgh"],
      ["a.mgz"],
      ["a.hdr"],
      ["a.npy"],
      ["a.tif"],
      ["a.tif", false],
    ].map(([name, compress]) =>
      writeImage(name as string, volume, compress === undefined ? {} : { compress: compress as boolean }),
    ),
  );
  const text = (lines: string[]) => [{ name: "a", bytes: new TextEncoder().encode(lines.join("\n")) }];
  const numbers = [...data].slice(0, 60).join(" ");
  const fixture = (name: string) => JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8"));
  const stored = fixture("data/image_files.json");
  const described: readonly { readonly file: string }[] = fixture("odd_images.json").tiffs;
  return [
    ...written,
    text(["NRRD0004", "type: short", "dimension: 3", "sizes: 3 4 5", "encoding: text", "", numbers]),
    text(["NRRD0004", "type: uchar", "dimension: 2", "sizes: 3 4", "encoding: hex", "", "00112233445566778899aabb"]),
    [
      ...text([
        "NRRD0004",
        "type: short",
        "dimension: 3",
        "sizes: 3 4 5",
        "encoding: text",
        "line skip: 1",
        "data file: b%d 0 1 1",
      ]),
      { name: "b0", bytes: new TextEncoder().encode(`a line\n${numbers.slice(0, numbers.length / 2)}`) },
      { name: "b1", bytes: new TextEncoder().encode(`a line\n${numbers}`) },
    ],
    [
      ...text([
        "NRRD0004",
        "type: uchar",
        "dimension: 3",
        "sizes: 2 3 2",
        "encoding: raw",
        "axis mins: 0 1 2",
        "datafile: LIST",
        "b0",
        "b1",
      ]),
      { name: "b0", bytes: new Uint8Array(data.slice(0, 3).buffer) },
      { name: "b1", bytes: new Uint8Array(data.slice(3, 6).buffer) },
    ],
    text(["NDims = 3", "DimSize = 3 4 5", "BinaryData = False", "ElementType = MET_SHORT", "ElementDataFile = LOCAL", numbers]),
    ...described.map(({ file }) => [{ name: "a.tif", bytes: Uint8Array.from(Buffer.from(file, "base64")) }]),
    ...stored.map(({ files }: { files: Record<string, string> }) =>
      Object.entries(files).map(([name, base64]) => ({ name, bytes: Uint8Array.from(Buffer.from(base64, "base64")) })),
    ),
  ];
}

/** Numbers that break things. */
const nasty = [0, 1, -1, 127, 128, 255, 256, 32767, -32768, 65535, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1];

/** A file with bytes changed, cut off, put in, or numbers of its text made large. Most changes are in the header. */
function damaged(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const place = (width: number) => below(Math.max(1, Math.min(random.rand() < 0.8 ? 400 : out.length, out.length) - width));
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const kind = below(6);
    if (kind === 0) out[place(1)] = below(256);
    else if (kind === 1) out[place(1)] ^= 1 << below(8);
    else if (kind === 2 && out.length > 4) view.setInt32(place(4), nasty[below(nasty.length)], below(2) === 0);
    else if (kind === 3 && out.length > 2) view.setInt16(place(2), nasty[below(nasty.length)], below(2) === 0);
    else if (kind === 4) {
      const at = out.findIndex((c, i) => i >= place(1) && c >= 48 && c <= 57);
      if (at >= 0) out[at] = [57, 45, 46, 101, 32][below(5)];
    } else return out.slice(0, below(out.length + 1));
  }
  return out;
}

const changed = (bytes: Uint8Array): Uint8Array =>
  (below(3) === 0 ? innerDamage(bytes, damaged, below) : undefined) ?? damaged(bytes);

const all = await samples();
const wrong: string[] = [];
let [slowest, greediest, read, refused] = [0, 0, 0, 0];
for (let i = 0; i < count; i++) {
  const sample = all[i % all.length];
  const hit = below(sample.length);
  const files = sample.map(
    ({ name, bytes }, k) => new File([(k === hit ? changed(bytes) : bytes) as Uint8Array<ArrayBuffer>], name),
  );
  const size = files.reduce((n, f) => n + f.size, 0);
  let [failure, volume]: [unknown, number] = [undefined, 0];
  const reading = async () => {
    asked = 0;
    failure = undefined;
    volume = 0;
    await readImage(files).then(
      ({ data }) => (volume = data.byteLength),
      (error: unknown) => (failure = error),
    );
  };
  slowest = Math.max(slowest, await processorTime(reading));
  if (failure) refused++;
  else read++;
  if (failure && !(failure instanceof VoxgradError))
    wrong.push(`${i} ${files[0].name}: ${(failure as Error).stack ?? String(failure)}`);
  // What a head is read into counts for nothing. Samples of one bit are read as bytes: what a file has can be more than the file.
  const times = Math.max(0, asked - 32768) / Math.max(1, size, volume);
  if (times > 4) wrong.push(`${i} ${files[0].name}: asked for ${asked} bytes, the file has ${size}`);
  greediest = Math.max(greediest, times);
}
console.log(JSON.stringify({ count, read, refused, slowestMs: Math.round(slowest), greediest, wrong: wrong.slice(0, 20) }));
