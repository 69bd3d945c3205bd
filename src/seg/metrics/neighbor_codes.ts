/**
 * @file Surface elements of a mask between its voxels, as DeepMind's surface-distance weighs them: the 2×2×2 (or 2×2) voxels around a corner of the grid make
 * a code, and a code has the area (length) of the marching-cubes surface (marching-squares contour) through its midpoints.
 *
 * The areas are worked out here, not listed: the surface meets the edges of the cube halfway between an inside and an outside corner; on each face these
 * points are joined so that corners of the rarer side are cut off one by one; the loops that come of it are cut into triangles. Only areas are
 * asked for, so how a flat loop is cut does not matter; a loop of five is cut at its longest diagonal, one of six into three ears and the rest.
 */

type Point = readonly [number, number, number];

/** Bit of the corner at (first, second, third axis) in a code: 128 at the origin, 1 at (1, 1, 1). */
const bitOf = (x: number, y: number, z: number): number => 1 << (7 - (4 * x + 2 * y + z));

const corner = (axis: number, side: number, u: number, v: number): [number, number, number] => {
  const p: number[] = [u, v];
  p.splice(axis, 0, side);
  return p as [number, number, number];
};

const middle = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2];

/** Bits set in a byte. */
const ones = (code: number): number => {
  let n = 0;
  for (let rest = code; rest > 0; rest >>= 1) n += rest & 1;
  return n;
};

/** The segments of the surface on the faces of the cube, of a code with at most four corners inside. */
function segments(code: number): [Point, Point][] {
  const found: [Point, Point][] = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const side of [0, 1]) {
      const around = [corner(axis, side, 0, 0), corner(axis, side, 0, 1), corner(axis, side, 1, 1), corner(axis, side, 1, 0)];
      const inside = around.map((p) => (code & bitOf(...p)) !== 0);
      const edge = (t: number): Point => middle(around[t % 4], around[(t + 1) % 4]);
      const crossed = [0, 1, 2, 3].filter((t) => inside[t] !== inside[(t + 1) % 4]);
      if (crossed.length === 2) found.push([edge(crossed[0]), edge(crossed[1])]);
      if (crossed.length === 4) for (const t of [0, 1, 2, 3]) if (inside[t]) found.push([edge(t + 3), edge(t)]);
    }
  }
  return found;
}

/** Segments joined end to end. */
function loops(parts: readonly [Point, Point][]): Point[][] {
  const rest = [...parts];
  const all: Point[][] = [];
  while (rest.length > 0) {
    const loop: Point[] = [...rest.pop()!];
    for (;;) {
      const end = String(loop.at(-1));
      const next = rest.findIndex(([a, b]) => String(a) === end || String(b) === end);
      if (next < 0) break;
      const [[a, b]] = rest.splice(next, 1);
      loop.push(String(a) === end ? b : a);
    }
    all.push(loop.slice(1)); // the last point is the first
  }
  return all;
}

const squared = (a: Point, b: Point): number => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;

/** Triangles of a loop of up to six points. */
function triangles(loop: readonly Point[]): [Point, Point, Point][] {
  const p = (i: number): Point => loop[i % loop.length];
  if (loop.length === 6)
    return [
      [p(0), p(1), p(2)],
      [p(2), p(3), p(4)],
      [p(4), p(5), p(0)],
      [p(0), p(2), p(4)],
    ];
  // From an end of the longest diagonal, all others lie on its flat side.
  let first = 0;
  for (let i = 1; i < loop.length; i++) if (squared(p(i), p(i + 2)) > squared(p(first), p(first + 2))) first = i;
  return Array.from({ length: loop.length - 2 }, (_, k) => [p(first), p(first + k + 1), p(first + k + 2)]);
}

/** Area vectors of the triangles of every code, in voxels; half a cross product each. Codes and their complements have the same surface. */
function areaVectors(): readonly (readonly Point[])[] {
  return Array.from({ length: 256 }, (_, code) => {
    const rare = ones(code) <= 4 ? code : 255 - code;
    return loops(segments(rare))
      .flatMap(triangles)
      .map(([a, b, c]): Point => {
        const [u, v] = [b, c].map((q) => [q[0] - a[0], q[1] - a[1], q[2] - a[2]]);
        return [(u[1] * v[2] - u[2] * v[1]) / 2, (u[2] * v[0] - u[0] * v[2]) / 2, (u[0] * v[1] - u[1] * v[0]) / 2];
      });
  });
}

let vectors: readonly (readonly Point[])[] | undefined;

/** Surface area of each of the 256 codes of 2×2×2 voxels of a size. */
export function codeAreas([a, b, c]: readonly number[]): Float64Array {
  vectors ??= areaVectors();
  return Float64Array.from(vectors, (list) =>
    list.reduce((sum, [x, y, z]) => sum + Math.hypot(x * b * c, y * a * c, z * a * b), 0),
  );
}

/** Contour length of each of the 16 codes of 2×2 pixels of a size; bits 8, 4 in the first row, 2, 1 in the second. */
export function codeLengths([first, second]: readonly number[]): Float64Array {
  const diagonal = Math.hypot(first, second) / 2;
  return Float64Array.from({ length: 16 }, (_, code) => {
    if (code === 0 || code === 15) return 0;
    if (code === 0b0110 || code === 0b1001) return 2 * diagonal;
    if (code === 0b0011 || code === 0b1100) return second;
    if (code === 0b0101 || code === 0b1010) return first;
    return diagonal;
  });
}
