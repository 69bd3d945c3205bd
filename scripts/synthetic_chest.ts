/**
 * @file A synthetic chest set in LUNA16's layout: lungs as ellipsoids in a body, noise, vessels that look like nodules where they are cut, and balls of 4 to
 * 15 mm as nodules, listed in `annotations.csv`. `node scripts/synthetic_chest.ts OUT [--scans 40] [--size 96,96,64] [--distinct N] [--seed 1]`
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { makeVolume, type Nodule, RandomState, writeImage, type Volume } from "../src/data/index.ts";
import { writeFileAtomic } from "../src/data/index.node.ts";

export interface ChestOptions {
  /** Voxels along x, y, z. */
  readonly size?: readonly number[];
  /** In mm. */
  readonly spacing?: readonly number[];
  /** Least and most nodules of a scan. */
  readonly nodules?: readonly [number, number];
  /** Least and largest diameter of a nodule in mm. */
  readonly diameters?: readonly [number, number];
  readonly vessels?: number;
}

type Point = readonly [number, number, number];

interface Lung {
  readonly center: Point;
  readonly radii: Point;
}

const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** Places in mm from the corner of the scan; the size of a lung is a share of it. */
function lungsOf(extent: readonly number[], random: RandomState): Lung[] {
  return [0.29, 0.71].map((x) => ({
    center: [x * extent[0], (0.5 + random.uniform(-0.03, 0.03)) * extent[1], 0.5 * extent[2]],
    radii: [
      random.uniform(0.15, 0.18) * extent[0],
      random.uniform(0.26, 0.31) * extent[1],
      random.uniform(0.4, 0.46) * extent[2],
    ],
  }));
}

/** How far inside of a lung, 1 in its middle and below 0 outside. */
const inside = ({ center, radii }: Lung, p: Point): number =>
  1 - Math.hypot((p[0] - center[0]) / radii[0], (p[1] - center[1]) / radii[1], (p[2] - center[2]) / radii[2]);

function pointIn(lung: Lung, share: number, random: RandomState): Point {
  for (;;) {
    const [x, y, z] = lung.center.map((c, a) => c + random.uniform(-1, 1) * lung.radii[a]);
    if (inside(lung, [x, y, z]) > share) return [x, y, z];
  }
}

class Canvas {
  readonly data: Float32Array;
  private readonly size: readonly number[];
  private readonly spacing: readonly number[];

  constructor(size: readonly number[], spacing: readonly number[]) {
    this.size = size;
    this.spacing = spacing;
    this.data = new Float32Array(size[0] * size[1] * size[2]);
  }

  /** Sets each voxel to what `value` makes of its place. */
  fill(value: (p: Point) => number): void {
    const [nx, ny, nz] = this.size;
    const [sx, sy, sz] = this.spacing;
    let i = 0;
    for (let x = 0; x < nx; x++)
      for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++) this.data[i++] = value([x * sx, y * sy, z * sz]);
  }

  /** A ball whose edge is a millimeter wide. */
  ball(center: Point, radius: number, value: number): void {
    const [, ny, nz] = this.size;
    const [sx, sy, sz] = this.spacing;
    const low = center.map((c, a) => Math.max(0, Math.ceil((c - radius - 0.5) / this.spacing[a])));
    const high = center.map((c, a) => Math.min(this.size[a] - 1, Math.floor((c + radius + 0.5) / this.spacing[a])));
    for (let x = low[0]; x <= high[0]; x++) {
      for (let y = low[1]; y <= high[1]; y++) {
        for (let z = low[2]; z <= high[2]; z++) {
          const share = Math.min(1, Math.max(0, radius + 0.5 - distance([x * sx, y * sy, z * sz], center)));
          const i = (x * ny + y) * nz + z;
          this.data[i] = Math.max(this.data[i], this.data[i] + share * (value - this.data[i]));
        }
      }
    }
  }
}

/** A tube that bends as it goes and grows thinner. */
function vessel(canvas: Canvas, lung: Lung, random: RandomState): void {
  let p = pointIn(lung, 0.3, random);
  let [dx, dy, dz] = [random.normal(), random.normal(), random.normal()];
  let radius = random.uniform(1, 2.6);
  for (let step = 0; step < 80 && inside(lung, p) > 0.02; step++) {
    const norm = Math.hypot(dx, dy, dz);
    p = [p[0] + dx / norm, p[1] + dy / norm, p[2] + dz / norm];
    canvas.ball(p, radius, 20);
    [dx, dy, dz] = [dx / norm + 0.15 * random.normal(), dy / norm + 0.15 * random.normal(), dz / norm + 0.15 * random.normal()];
    radius = Math.max(0.7, radius * 0.992);
  }
}

/** A scan in Hounsfield units and its nodules, wholly inside of a lung and apart from each other. */
export function makeChest(random: RandomState, options: ChestOptions = {}): { image: Volume<Int16Array>; nodules: Nodule[] } {
  const { size = [96, 96, 64], spacing = [1, 1, 1], nodules: count = [1, 4], diameters = [4, 15], vessels = 14 } = options;
  const extent = size.map((n, a) => n * spacing[a]);
  const lungs = lungsOf(extent, random);
  const canvas = new Canvas(size, spacing);
  canvas.fill((p) => {
    const body = Math.hypot((p[0] / extent[0] - 0.5) / 0.49, (p[1] / extent[1] - 0.5) / 0.46);
    if (body > 1) return -1000;
    return inside(lungs[0], p) > 0 || inside(lungs[1], p) > 0 ? -850 : 40;
  });
  for (const lung of lungs) for (let v = 0; v < vessels; v++) vessel(canvas, lung, random);
  const balls: { center: Point; radius: number }[] = [];
  const wanted = random.randint(count[0], count[1] + 1);
  for (let tries = 0; balls.length < wanted && tries < 500; tries++) {
    const lung = lungs[random.randint(2)];
    const radius = random.uniform(diameters[0], diameters[1]) / 2;
    const center = pointIn(lung, 0, random);
    // The narrowest radius of the lung decides how deep a ball has to lie.
    const deep = inside(lung, center) * Math.min(...lung.radii) > radius;
    if (deep && balls.every((b) => distance(b.center, center) > b.radius + radius + 3)) balls.push({ center, radius });
  }
  for (const { center, radius } of balls) canvas.ball(center, radius, random.uniform(-60, 60));
  const noise = random.normal(0, 45, canvas.data.length);
  const data = new Int16Array(canvas.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.round(canvas.data[i] + noise[i]);
  // Of a patient on the back: x to the left, y to the back, as scanners store it.
  const affine = [
    [-spacing[0], 0, 0, 120.5],
    [0, -spacing[1], 0, 98.25],
    [0, 0, spacing[2], -310],
    [0, 0, 0, 1],
  ];
  const place = ([x, y, z]: Point): Point => [120.5 - x, 98.25 - y, z - 310];
  return {
    image: makeVolume({ data, shape: [1, ...size] }, affine),
    nodules: balls.map(({ center, radius }) => ({ center: place(center), diameter: 2 * radius })),
  };
}

export interface ChestSetOptions extends ChestOptions {
  readonly scans?: number;
  /** Scans that differ; the others are headers of theirs under further names, which takes no disk. Default all. */
  readonly distinct?: number;
  readonly seed?: number;
  readonly compress?: boolean;
}

/** Writes `<id>.mhd` with voxels and `annotations.csv`. Returns the nodules by scan. */
export async function writeChests(folder: string, options: ChestSetOptions = {}): Promise<Map<string, Nodule[]>> {
  const { scans = 40, distinct = scans, seed = 1, compress = true, ...chest } = options;
  await mkdir(folder, { recursive: true });
  const listed = new Map<string, Nodule[]>();
  const made: { readonly header: string; readonly nodules: Nodule[] }[] = [];
  const idOf = (i: number) => `1.3.6.1.4.1.14519.5.2.1.6279.6001.${String(seed * 100_000 + i).padStart(9, "0")}`;
  for (let i = 0; i < scans; i++) {
    const id = idOf(i);
    if (i < distinct) {
      const { image, nodules } = makeChest(new RandomState([seed, i]), chest);
      const [header, voxels] = await writeImage(`${id}.mhd`, image, { compress });
      await writeFileAtomic(join(folder, voxels.name), voxels.bytes);
      made.push({ header: new TextDecoder().decode(header.bytes), nodules });
    }
    await writeFileAtomic(join(folder, `${id}.mhd`), made[i % distinct].header);
    listed.set(id, made[i % distinct].nodules);
  }
  const rows = [...listed].flatMap(([id, list]) =>
    list.map(({ center: [x, y, z], diameter }) =>
      [id, -x, -y, z, diameter].map((v) => (typeof v === "number" ? v.toFixed(6) : v)).join(","),
    ),
  );
  await writeFileAtomic(
    join(folder, "annotations.csv"),
    `${["seriesuid,coordX,coordY,coordZ,diameter_mm", ...rows].join("\n")}\n`,
  );
  return listed;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      scans: { type: "string", default: "40" },
      size: { type: "string", default: "96,96,64" },
      distinct: { type: "string" },
      seed: { type: "string", default: "1" },
    },
  });
  if (positionals.length !== 1) throw new Error("expected the folder to write");
  const listed = await writeChests(positionals[0], {
    scans: Number(values.scans),
    size: values.size.split(",").map(Number),
    seed: Number(values.seed),
    ...(values.distinct !== undefined && { distinct: Number(values.distinct) }),
  });
  console.log(`${listed.size} scans with ${[...listed.values()].flat().length} nodules in ${positionals[0]}`);
}
