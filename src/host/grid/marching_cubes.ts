/**
 * @file Surfaces of constant value in a grid of samples, closed and with their outside outside (Lorensen and Cline: "Marching cubes", 1987). The table of
 * the 256 kinds of cells is worked out here rather than written down: on each face of a cell the crossing points are joined so that corners above the
 * level are parted where a face can be read in two ways. Two cells that share a face read it alike, so there are no gaps; that is what the table of 1987
 * lacks. Polygons are cut into triangles along no line that lies in a face, where a neighbor could have the same line, so that every edge has
 * exactly two triangles.
 */
import { expectKinds } from "../kinds.ts";
import type { TypedArray } from "../array.ts";
import type { Mesh } from "./mesh.ts";

/** Corners of a cell by number: bit 2 is along axis 0, bit 1 along axis 1, bit 0 along axis 2. */
const corner = (number: number): readonly [number, number, number] => [(number >> 2) & 1, (number >> 1) & 1, number & 1];

/** An edge of a cell: its first corner, and the axis that it goes along. */
interface CellEdge {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

const axisBit = [4, 2, 1] as const;

const edges: readonly CellEdge[] = [0, 1, 2].flatMap((axis) =>
  Array.from({ length: 8 }, (_, from) => from)
    .filter((from) => (from & axisBit[axis]) === 0)
    .map((from) => ({ axis, from, to: from | axisBit[axis] })),
);

const edgeBetween = (a: number, b: number): number =>
  edges.findIndex((e) => (e.from === a && e.to === b) || (e.from === b && e.to === a));

/** Corners around each face, counterclockwise seen from outside of the cell. */
const faces: readonly (readonly number[])[] = [0, 1, 2].flatMap((axis) => {
  const [u, v] = [axisBit[(axis + 1) % 3], axisBit[(axis + 2) % 3]];
  const near = [0, v, u | v, u];
  const far = [0, u, u | v, v].map((c) => c | axisBit[axis]);
  return [near, far];
});

/** Whether two edges of a cell lie in one of its faces. */
const shareFace: readonly (readonly boolean[])[] = edges.map((a) =>
  edges.map((b) =>
    [0, 1, 2].some((axis) => {
      const bit = axisBit[axis];
      const sides = new Set([a.from & bit, a.to & bit, b.from & bit, b.to & bit]);
      return sides.size === 1;
    }),
  ),
);

/**
 * From which crossed edge a loop of the surface goes to which, across the faces: around a face, from where the corners rise above the level to where they
 * next fall below it again. That parts corners above, and loops go counterclockwise seen from below the level.
 */
function segmentsOf(code: number): Map<number, number> {
  const next = new Map<number, number>();
  for (const face of faces) {
    for (let k = 0; k < 4; k++) {
      const [a, b] = [face[k], face[(k + 1) % 4]];
      if ((code >> a) & 1 || !((code >> b) & 1)) continue;
      let at = (k + 1) % 4;
      while ((code >> face[(at + 1) % 4]) & 1) at = (at + 1) % 4;
      next.set(edgeBetween(a, b), edgeBetween(face[at], face[(at + 1) % 4]));
    }
  }
  return next;
}

function loopsOf(code: number): number[][] {
  const next = segmentsOf(code);
  const loops: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    for (let at = next.keys().next().value!; next.has(at);) {
      loop.push(at);
      const to = next.get(at)!;
      next.delete(at);
      at = to;
    }
    loops.push(loop);
  }
  return loops;
}

/** Triangles of a polygon without a diagonal that lies in a face of the cell; undefined if there is no such way. */
function triangles(loop: readonly number[]): number[] | undefined {
  if (loop.length === 3) return [...loop];
  const [first, last] = [loop[0], loop.at(-1)!];
  // The side from the last to the first vertex is in one triangle, whose third vertex is one of the others.
  for (let k = 1; k < loop.length - 1; k++) {
    const third = loop[k];
    if (k > 1 && shareFace[first][third]) continue;
    if (k < loop.length - 2 && shareFace[third][last]) continue;
    const before = k > 1 ? triangles(loop.slice(0, k + 1)) : [];
    const behind = k < loop.length - 2 ? triangles(loop.slice(k)) : [];
    if (before && behind) return [...before, ...behind, first, third, last];
  }
  return undefined;
}

/** What a kind of cell has: triangles of crossed edges, three after three, and polygons that need a vertex in their middle. */
interface CellKind {
  readonly triangles: readonly number[];
  readonly fans: readonly (readonly number[])[];
}

const kinds: readonly CellKind[] = Array.from({ length: 256 }, (_, code) => {
  const cut = loopsOf(code).map((loop) => ({ loop, parts: triangles(loop) }));
  return { triangles: cut.flatMap(({ parts }) => parts ?? []), fans: cut.flatMap(({ loop, parts }) => (parts ? [] : [loop])) };
});

/** Numbers in a typed array that grows. */
class Growing<A extends Float32Array | Uint32Array> {
  length = 0;
  private data: A;
  private readonly make: (length: number) => A;

  constructor(make: (length: number) => A) {
    this.make = make;
    this.data = make(3072);
  }

  push(a: number, b: number, c: number): void {
    if (this.length + 3 > this.data.length) {
      const wider = this.make(2 * this.data.length);
      wider.set(this.data);
      this.data = wider;
    }
    this.data[this.length] = a;
    this.data[this.length + 1] = b;
    this.data[this.length + 2] = c;
    this.length += 3;
  }

  at(i: number): number {
    return this.data[i];
  }

  done(): A {
    return this.data.slice(0, this.length) as A;
  }
}

/**
 * The surface between samples above a level and the others. Beyond the grid everything is below, so that it is closed at the border too. Normals point to
 * the lower side. Vertices are in voxel indices: voxel centers have whole coordinates.
 * @param field samples, row-major; NaN counts as below
 * @param shape three axes
 */
export function marchingCubes(field: TypedArray, shape: readonly number[], level: number): Mesh {
  expectKinds("marchingCubes", { values: { field }, numbers: { shape }, number: { level } });
  const walk = new Walk(field, shape, level);
  for (let x = -1; x < shape[0]; x++) walk.layer(x);
  return walk.mesh();
}

/** A pass through the cells, layer by layer along axis 0; vertices are shared through tables of the edges of two layers. */
class Walk {
  private readonly field: TypedArray;
  private readonly shape: readonly number[];
  private readonly level: number;
  private readonly vertices = new Growing((n) => new Float32Array(n));
  private readonly triangles = new Growing((n) => new Uint32Array(n));
  /** Samples of the two planes around a layer, with a border of one below the level. */
  private near: Float64Array;
  private far: Float64Array;
  /** Vertex + 1 on each edge that leaves a sample of a plane: along axis 1 and axis 2 for both planes, and along axis 0 between them. */
  private readonly crossings: Uint32Array[];
  private readonly wide: number;

  constructor(field: TypedArray, shape: readonly number[], level: number) {
    this.field = field;
    this.shape = shape;
    this.level = level;
    this.wide = shape[2] + 2;
    const size = (shape[1] + 2) * this.wide;
    this.near = new Float64Array(size).fill(-Infinity);
    this.far = new Float64Array(size).fill(-Infinity);
    this.crossings = Array.from({ length: 5 }, () => new Uint32Array(size));
  }

  mesh(): Mesh {
    return { vertices: this.vertices.done(), triangles: this.triangles.done() };
  }

  /** The cells between plane `x` and the next. */
  layer(x: number): void {
    [this.near, this.far] = [this.far, this.near];
    this.load(x + 1);
    const [alongNear1, alongNear2, along0, alongFar1, alongFar2] = this.crossings;
    // What was the far plane is the near one now; its crossings stay.
    alongNear1.set(alongFar1);
    alongNear2.set(alongFar2);
    for (const table of [along0, alongFar1, alongFar2]) table.fill(0);
    const { wide, near, far, level } = this;
    for (let y = 0; y <= this.shape[1]; y++) {
      for (let z = 0; z <= this.shape[2]; z++) {
        const i = y * wide + z;
        const code =
          Number(near[i] > level) |
          (Number(near[i + 1] > level) << 1) |
          (Number(near[i + wide] > level) << 2) |
          (Number(near[i + wide + 1] > level) << 3) |
          (Number(far[i] > level) << 4) |
          (Number(far[i + 1] > level) << 5) |
          (Number(far[i + wide] > level) << 6) |
          (Number(far[i + wide + 1] > level) << 7);
        if (code !== 0 && code !== 255) this.cell(kinds[code], x, y - 1, z - 1, i);
      }
    }
  }

  private load(x: number): void {
    const [depth, height, width] = this.shape;
    if (x >= depth) this.far.fill(-Infinity);
    else
      for (let y = 0; y < height; y++) {
        const from = (x * height + y) * width;
        this.far.set(this.field.subarray(from, from + width), (y + 1) * this.wide + 1);
      }
  }

  private cell({ triangles, fans }: CellKind, x: number, y: number, z: number, i: number): void {
    for (let t = 0; t < triangles.length; t += 3) {
      const a = this.vertex(triangles[t], x, y, z, i);
      const b = this.vertex(triangles[t + 1], x, y, z, i);
      this.triangles.push(a, b, this.vertex(triangles[t + 2], x, y, z, i));
    }
    for (const loop of fans) {
      const ring = loop.map((edge) => this.vertex(edge, x, y, z, i));
      const middle = [0, 1, 2].map((axis) => ring.reduce((sum, v) => sum + this.vertices.at(3 * v + axis), 0) / ring.length);
      const center = this.add(middle[0], middle[1], middle[2]);
      ring.forEach((v, k) => this.triangles.push(v, ring[(k + 1) % ring.length], center));
    }
  }

  /** The vertex on an edge of the cell whose first corner is (x, y, z), made when it is first asked for. */
  private vertex(edge: number, x: number, y: number, z: number, i: number): number {
    const { axis, from, to } = edges[edge];
    const [dx, dy, dz] = corner(from);
    const at = i + dy * this.wide + dz;
    const table = this.crossings[axis === 0 ? 2 : axis - 1 + (dx === 1 ? 3 : 0)];
    if (table[at] > 0) return table[at] - 1;
    const t = this.crossing(this.sample(from, i), this.sample(to, i));
    const place = [x + dx, y + dy, z + dz];
    place[axis] += t;
    const vertex = this.add(place[0], place[1], place[2]);
    table[at] = vertex + 1;
    return vertex;
  }

  private sample(number: number, i: number): number {
    const [dx, dy, dz] = corner(number);
    return (dx === 0 ? this.near : this.far)[i + dy * this.wide + dz];
  }

  /** Where between two samples the level is crossed; half way to what is beyond the grid or not finite. Never at a sample, or triangles would vanish. */
  private crossing(a: number, b: number): number {
    const t = (this.level - a) / (b - a);
    return Number.isFinite(a) && Number.isFinite(b) ? Math.min(0.999, Math.max(0.001, t)) : 0.5;
  }

  private add(x: number, y: number, z: number): number {
    this.vertices.push(x, y, z);
    return this.vertices.length / 3 - 1;
  }
}
