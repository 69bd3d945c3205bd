/**
 * @file Folders in CHAOS's layout, DICOM slices and label pictures, with scans of a phantom abdomen: liver, kidneys and spleen of another shape and place in
 * each patient, in tissue that may be textured by a real volume, under noise and a bias field.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChaosSequence } from "../../src/data/folders/chaos.ts";
import type { HostArray } from "../../src/host/array.ts";
import { encodePng } from "../../src/host/bytes/png.ts";
import { RandomState } from "../../src/host/random/numpy.ts";
import { dicomSlice } from "./dicom_file.ts";

type Vector = readonly [number, number, number];

interface Organ {
  /** Gray value in the label pictures of MR. */
  readonly gray: number;
  /** Center and half axes in shares of the body. */
  readonly center: Vector;
  readonly radius: Vector;
  /** Intensity in each kind of image; of CT in HU. */
  readonly tone: Readonly<Record<ImageKind, number>>;
}

type ImageKind = "in" | "out" | "T2SPIR" | "CT";

const organs: readonly Organ[] = [
  { gray: 63, center: [0.34, 0.42, 0.5], radius: [0.22, 0.26, 0.44], tone: { in: 430, out: 360, T2SPIR: 170, CT: 115 } },
  { gray: 126, center: [0.36, 0.77, 0.4], radius: [0.08, 0.09, 0.3], tone: { in: 300, out: 300, T2SPIR: 480, CT: 190 } },
  { gray: 189, center: [0.66, 0.77, 0.45], radius: [0.08, 0.09, 0.3], tone: { in: 300, out: 300, T2SPIR: 480, CT: 190 } },
  { gray: 252, center: [0.76, 0.52, 0.6], radius: [0.1, 0.14, 0.3], tone: { in: 260, out: 240, T2SPIR: 420, CT: 125 } },
];
const body: Readonly<Record<ImageKind, number>> = { in: 190, out: 150, T2SPIR: 250, CT: 20 };
const noise: Readonly<Record<ImageKind, number>> = { in: 25, out: 25, T2SPIR: 25, CT: 20 };

export interface PhantomOptions {
  readonly size?: Vector;
  readonly seed: number;
  /** A real volume `[1, x, y, z]` whose values are the tissue's texture. */
  readonly texture?: HostArray | undefined;
}

/** A patient: label pictures' gray values, and images of each kind. Voxels are `[x, y, z]` in row-major order. */
export interface Phantom {
  readonly size: Vector;
  readonly gray: Uint8Array;
  readonly image: (kind: ImageKind) => Int16Array;
}

/** Texture by place, of mean 0 and deviation 1; 0 without a volume. */
function textureOf(volume: HostArray | undefined, size: Vector): (x: number, y: number, z: number) => number {
  if (!volume) return () => 0;
  const { data, shape } = volume;
  const [, nx, ny, nz] = shape;
  let [sum, squares] = [0, 0];
  for (const v of data) {
    sum += v;
    squares += v * v;
  }
  const mean = sum / data.length;
  const deviation = Math.sqrt(squares / data.length - mean ** 2) || 1;
  const at = (v: number, n: number, m: number) => Math.min(m - 1, Math.floor((v * m) / n));
  return (x, y, z) => (data[(at(x, size[0], nx) * ny + at(y, size[1], ny)) * nz + at(z, size[2], nz)] - mean) / deviation;
}

/** Draws a patient. */
export function phantom({ size = [32, 32, 6], seed, texture }: PhantomOptions): Phantom {
  const random = new RandomState(seed);
  const jitter = (share: number) => random.uniform(-share, share);
  const shapes = organs.map((o) => ({
    ...o,
    center: o.center.map((c) => c + jitter(0.02)) as unknown as Vector,
    radius: o.radius.map((r) => r * (1 + jitter(0.12))) as unknown as Vector,
    // Lobes: the radius varies with the angle.
    lobes: [2, 3, 5].map((n) => [n, random.uniform(0.02, 0.09), random.uniform(0, 6.28)] as const),
  }));
  const voxels = size[0] * size[1] * size[2];
  const organAt = new Uint8Array(voxels); // 0: air, 1: body, 2 …: organs
  const gray = new Uint8Array(voxels);
  for (let x = 0, i = 0; x < size[0]; x++) {
    for (let y = 0; y < size[1]; y++) {
      for (let z = 0; z < size[2]; z++, i++) {
        const p = [(x + 0.5) / size[0], (y + 0.5) / size[1], (z + 0.5) / size[2]];
        if (((p[0] - 0.5) / 0.47) ** 2 + ((p[1] - 0.55) / 0.42) ** 2 > 1) continue;
        organAt[i] = 1;
        for (const [k, { center, radius, lobes, gray: value }] of shapes.entries()) {
          const [u, v, w] = p.map((c, a) => (c - center[a]) / radius[a]);
          const angle = Math.atan2(v, u);
          const reach = lobes.reduce((r, [n, height, phase]) => r + height * Math.cos(n * angle + phase), 1);
          if (u * u + v * v + w * w > reach * reach) continue;
          organAt[i] = k + 2;
          gray[i] = value;
        }
      }
    }
  }
  const textured = textureOf(texture, size);
  const bias = [jitter(0.15), jitter(0.15)];
  const image = (kind: ImageKind): Int16Array => {
    const own = new RandomState(seed * 10 + Object.keys(body).indexOf(kind));
    const grain = own.normal(0, 1, voxels);
    const out = new Int16Array(voxels);
    const tones = [kind === "CT" ? -1000 : 10, body[kind], ...organs.map((o) => o.tone[kind])];
    for (let x = 0, i = 0; x < size[0]; x++) {
      for (let y = 0; y < size[1]; y++) {
        const field = kind === "CT" ? 1 : 1 + bias[0] * (x / size[0] - 0.5) + bias[1] * (y / size[1] - 0.5);
        for (let z = 0; z < size[2]; z++, i++) {
          const tissue = organAt[i] > 0 ? (organAt[i] === 1 ? 1.5 : 0.5) * noise[kind] * textured(x, y, z) : 0;
          const value = tones[organAt[i]] * field + tissue + noise[kind] * grain[i];
          out[i] = Math.round(kind === "CT" ? value : Math.max(0, value));
        }
      }
    }
    return out;
  };
  return { size, gray, image };
}

/** Which acquisitions a folder gets. */
export interface ChaosFolderOptions extends Omit<PhantomOptions, "seed" | "texture"> {
  /** Numbers of the patients. */
  readonly patients: readonly number[];
  readonly sequences?: readonly ChaosSequence[];
  /** Patients without label pictures. */
  readonly unlabeled?: readonly number[];
  /** Texture of a patient. */
  readonly textureOf?: (patient: number) => HostArray | undefined;
  readonly seed?: number;
}

interface Scan {
  readonly size: Vector;
  readonly pixels: Int16Array;
  readonly kind: ImageKind;
  readonly nameOf: (slice: number) => string;
}

// Millimeters between voxels.
const spacing = [1.6, 1.6, 6] as const;

/** Slices from the feet up, each of a series of its own, as CHAOS was made anonymous. */
function writeSlices(folder: string, { size, pixels, kind, nameOf }: Scan): void {
  mkdirSync(folder, { recursive: true });
  const [nx, ny, nz] = size;
  const ct = kind === "CT";
  for (let z = 0; z < nz; z++) {
    const slice: number[] = [];
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) slice.push(pixels[(x * ny + y) * nz + z] + (ct ? 1024 : 0));
    const bytes = dicomSlice({
      series: `1.2.826.${folder.length}.${z + 1}`,
      instance: z + 1,
      size: [nx, ny],
      pixels: slice,
      position: [-0.5 * nx * spacing[0], -0.5 * ny * spacing[1], z * spacing[2]],
      more: {
        0x00080060: ["CS", ct ? "CT" : "MR"],
        0x00180050: ["DS", String(spacing[2])],
        0x00280030: ["DS", `${spacing[1]}\\${spacing[0]}`],
        ...(ct ? { 0x00281052: ["DS", "-1024"], 0x00281053: ["DS", "1"] } : {}),
      },
    });
    writeFileSync(join(folder, `${nameOf(z)}.dcm`), bytes);
  }
}

async function writeGround(folder: string, { size, gray }: Phantom, of: (gray: number) => number, nameOf: Scan["nameOf"]) {
  mkdirSync(folder, { recursive: true });
  const [nx, ny, nz] = size;
  for (let z = 0; z < nz; z++) {
    const data = new Uint8Array(nx * ny);
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) data[y * nx + x] = of(gray[(x * ny + y) * nz + z]);
    writeFileSync(join(folder, `${nameOf(z)}.png`), await encodePng({ width: nx, height: ny, channels: 1, data }));
  }
}

const number = (n: number, digits: number): string => String(n).padStart(digits, "0");

/** Writes a folder such as CHAOS_Train_Sets. */
export async function writeChaosFolder(dir: string, options: ChaosFolderOptions): Promise<void> {
  const { patients, sequences = ["T1DUAL", "T2SPIR"], unlabeled = [], textureOf: real, seed = 0, size } = options;
  for (const patient of patients) {
    const found = phantom({ seed: 100 * seed + patient, texture: real?.(patient), ...(size && { size }) });
    const labeled = !unlabeled.includes(patient);
    const scan = (kind: ImageKind, nameOf: Scan["nameOf"]): Scan => ({
      size: found.size,
      pixels: found.image(kind),
      kind,
      nameOf,
    });
    for (const sequence of sequences) {
      if (sequence === "CT") {
        const root = join(dir, "CT", String(patient));
        writeSlices(
          join(root, "DICOM_anon"),
          scan("CT", (z) => `i${number(z, 4)},0000b`),
        );
        const white = (gray: number) => (gray === 63 ? 255 : 0);
        if (labeled) await writeGround(join(root, "Ground"), found, white, (z) => `liver_GT_${number(z, 3)}`);
        continue;
      }
      const root = join(dir, "MR", String(patient), sequence);
      // In and out of phase take turns; the pictures have the names of those in phase.
      const step = sequence === "T1DUAL" ? 2 : 1;
      const nameOf = (z: number) => `IMG-${number(patient, 4)}-${number(step * (z + 1), 5)}`;
      if (sequence === "T1DUAL") {
        writeSlices(join(root, "DICOM_anon", "InPhase"), scan("in", nameOf));
        writeSlices(
          join(root, "DICOM_anon", "OutPhase"),
          scan("out", (z) => `IMG-${number(patient, 4)}-${number(2 * z + 1, 5)}`),
        );
      } else writeSlices(join(root, "DICOM_anon"), scan("T2SPIR", nameOf));
      if (labeled) await writeGround(join(root, "Ground"), found, (gray) => gray, nameOf);
    }
  }
}
