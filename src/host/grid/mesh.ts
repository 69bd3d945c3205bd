/** @file Meshes of triangles: area, enclosed volume, smoothing, other coordinates. */
import { expectArguments, expectKinds } from "../kinds.ts";
import { expectOptions } from "../options.ts";
import { ConfigError } from "../errors.ts";
import { expectIntegers } from "../integers.ts";

/** A surface of triangles. Seen from outside their vertices go counterclockwise. */
export interface Mesh {
  /** x, y, z of each vertex. Shape `[vertices, 3]`. */
  readonly vertices: Float32Array;
  /** Three vertices of each triangle. Shape `[triangles, 3]`. */
  readonly triangles: Uint32Array;
}

/** Sums something over the triangles. */
function overTriangles({ vertices: v, triangles }: Mesh, of: (cross: readonly number[], first: number) => number): number {
  let sum = 0;
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    sum += of(crossOf(v, a, b, c), a);
  }
  return sum;
}

/** Twice the area of a triangle, along its normal. */
function crossOf(v: Float32Array, a: number, b: number, c: number): [number, number, number] {
  const [ux, uy, uz] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]];
  const [wx, wy, wz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]];
  return [uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx];
}

/** The area of a mesh, in the square of its units. */
export function surfaceArea(mesh: Mesh): number {
  expectArguments("surfaceArea", "mesh", { mesh });
  return overTriangles(mesh, ([x, y, z]) => Math.hypot(x, y, z) / 2);
}

/** The volume that a closed mesh encloses, by the divergence theorem; negative if its normals point inwards. */
export function enclosedVolume(mesh: Mesh): number {
  expectArguments("enclosedVolume", "mesh", { mesh });
  const v = mesh.vertices;
  return overTriangles(mesh, ([x, y, z], a) => (v[a] * x + v[a + 1] * y + v[a + 2] * z) / 6);
}

/** A mesh by a 3×4 affine (rows first; further rows are not read). What mirrors turns the triangles, so that their outside stays outside. */
export function transformMesh(mesh: Mesh, affine: readonly (readonly number[])[]): Mesh {
  expectKinds("transformMesh", { mesh: { mesh }, matrix: { affine } });
  const { vertices, triangles } = mesh;
  const [a, b, c] = affine;
  const moved = new Float32Array(vertices.length);
  for (let i = 0; i < moved.length; i += 3) {
    const [x, y, z] = [vertices[i], vertices[i + 1], vertices[i + 2]];
    moved[i] = a[0] * x + a[1] * y + a[2] * z + a[3];
    moved[i + 1] = b[0] * x + b[1] * y + b[2] * z + b[3];
    moved[i + 2] = c[0] * x + c[1] * y + c[2] * z + c[3];
  }
  const det = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
  const turned = triangles.slice();
  if (det < 0) for (let t = 0; t < turned.length; t += 3) [turned[t + 1], turned[t + 2]] = [turned[t + 2], turned[t + 1]];
  return { vertices: moved, triangles: turned };
}

/** How often and how far `smoothMesh` moves vertices. */
export interface SmoothOptions {
  /** Pairs of a step in and a step out. Default 10. */
  readonly iterations?: number;
  /** Share of the way to the mean of the neighbors in a step, 0 to 1. Default 0.5. */
  readonly lambda?: number;
  /** Frequency, of 0 to 2, below which shapes stay. Default 0.1. */
  readonly passBand?: number;
}

/**
 * A mesh without the steps of its voxels and without shrinking: each vertex moves toward the mean of its neighbors, then a bit further back (Taubin:
 * "A signal processing approach to fair surface design", 1995).
 * @throws ConfigError for a number outside of its range
 */
export function smoothMesh(mesh: Mesh, options: SmoothOptions = {}): Mesh {
  expectOptions("smoothMesh", options, "iterations:number lambda:number passBand:number");
  expectArguments("smoothMesh", "mesh", { mesh });
  const { iterations = 10, lambda = 0.5, passBand = 0.1 } = options;
  expectIntegers("smoothMesh", { iterations }, 0);
  if (!(lambda > 0 && lambda <= 1)) throw new ConfigError(`smoothMesh: lambda must be above 0 and at most 1, got ${lambda}`);
  if (!(passBand > 0 && passBand < 1 / lambda))
    throw new ConfigError(`smoothMesh: passBand must be above 0 and below 1 / lambda, got ${passBand}`);
  const mu = 1 / (passBand - 1 / lambda);
  const { vertices, triangles } = mesh;
  let now = vertices;
  for (let i = 0; i < iterations; i++) now = towardNeighbors(towardNeighbors(now, triangles, lambda), triangles, mu);
  return { vertices: now, triangles };
}

function towardNeighbors(vertices: Float32Array, triangles: Uint32Array, share: number): Float32Array {
  const sums = new Float64Array(vertices.length);
  const counts = new Uint32Array(vertices.length / 3);
  // In a closed mesh each side belongs to two triangles, once in each direction: every neighbor counts once.
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]];
      for (let axis = 0; axis < 3; axis++) sums[3 * a + axis] += vertices[3 * b + axis];
      counts[a]++;
    }
  }
  const moved = vertices.slice();
  for (let i = 0; i < moved.length; i++) {
    const n = counts[Math.floor(i / 3)];
    if (n > 0) moved[i] += share * (sums[i] / n - vertices[i]);
  }
  return moved;
}

/** Unit normals of the vertices: those of their triangles, by area. */
export function vertexNormals({ vertices, triangles }: Mesh): Float32Array {
  const normals = new Float32Array(vertices.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const cross = crossOf(vertices, a, b, c);
    for (const v of [a, b, c]) for (let axis = 0; axis < 3; axis++) normals[v + axis] += cross[axis];
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]);
    if (length > 0) for (let axis = 0; axis < 3; axis++) normals[i + axis] /= length;
  }
  return normals;
}
