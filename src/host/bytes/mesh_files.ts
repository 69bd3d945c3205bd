/** @file Meshes as files: STL (binary), OBJ (Wavefront) and PLY (binary, little-endian). */
import { expectWord } from "../words.ts";
import { expectArguments } from "../kinds.ts";
import { ConfigError } from "../errors.ts";
import type { Mesh } from "../grid/mesh.ts";

/** Formats by the ending of their files. */
export type MeshFormat = "stl" | "obj" | "ply";

/** Whether x and y grow to the patient's right and front, as in NIfTI, or to the left and back, as in DICOM. */
export type MeshSpace = "RAS" | "LPS";

type Encode = (mesh: Mesh, space: MeshSpace) => Uint8Array<ArrayBuffer>;

const encoders: Readonly<Record<MeshFormat, Encode>> = { stl: encodeStl, obj: encodeObj, ply: encodePly };

/** The format of a file by its ending. @throws ConfigError naming the known ones */
export function meshFormatOf(path: string): MeshFormat {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1].toLowerCase() ?? "";
  if (Object.hasOwn(encoders, ending)) return ending as MeshFormat;
  throw new ConfigError(`${path}: meshes are written as ${Object.keys(encoders).join(", ")}; give the file one of these endings`);
}

/**
 * Encodes a mesh whose vertices are millimeters in RAS. The file says which space it has in the way of 3D Slicer, `SPACE=RAS`.
 * @param space of the file; "LPS" turns x and y around. Default "RAS"
 * @returns the file's bytes
 */
export function encodeMesh(mesh: Mesh, format: MeshFormat, space: MeshSpace = "RAS"): Uint8Array<ArrayBuffer> {
  expectArguments("encodeMesh", "mesh", { mesh });
  expectWord("encodeMesh", "format", format, encoders);
  expectWord("encodeMesh", "space", space, ["RAS", "LPS"]);
  if (space === "RAS") return encoders[format](mesh, space);
  // A half turn around z: triangles keep their sense.
  const vertices = mesh.vertices.map((v, i) => (i % 3 < 2 ? -v : v));
  return encoders[format]({ vertices, triangles: mesh.triangles }, space);
}

function encodeStl({ vertices: v, triangles }: Mesh, space: MeshSpace): Uint8Array<ArrayBuffer> {
  const count = triangles.length / 3;
  const out = new Uint8Array(84 + 50 * count);
  out.set(new TextEncoder().encode(`voxgrad SPACE=${space}`));
  const view = new DataView(out.buffer);
  view.setUint32(80, count, true);
  for (let t = 0, at = 84; t < count; t++, at += 50) {
    const [a, b, c] = [3 * triangles[3 * t], 3 * triangles[3 * t + 1], 3 * triangles[3 * t + 2]];
    normalOf(v, a, b, c).forEach((n, axis) => view.setFloat32(at + 4 * axis, n, true));
    [a, b, c].forEach((p, k) => {
      for (let axis = 0; axis < 3; axis++) view.setFloat32(at + 12 * (k + 1) + 4 * axis, v[p + axis], true);
    });
  }
  return out;
}

/** Unit normal of a triangle; zeros if it has no area. */
function normalOf(v: Float32Array, a: number, b: number, c: number): number[] {
  const [ux, uy, uz] = [v[b] - v[a], v[b + 1] - v[a + 1], v[b + 2] - v[a + 2]];
  const [wx, wy, wz] = [v[c] - v[a], v[c + 1] - v[a + 1], v[c + 2] - v[a + 2]];
  const cross = [uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx];
  const length = Math.hypot(...cross);
  return cross.map((n) => (length > 0 ? n / length : 0));
}

function encodeObj({ vertices: v, triangles: t }: Mesh, space: MeshSpace): Uint8Array<ArrayBuffer> {
  const lines = [`# voxgrad SPACE=${space}`];
  for (let i = 0; i < v.length; i += 3) lines.push(`v ${v[i]} ${v[i + 1]} ${v[i + 2]}`);
  for (let i = 0; i < t.length; i += 3) lines.push(`f ${t[i] + 1} ${t[i + 1] + 1} ${t[i + 2] + 1}`);
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

function encodePly({ vertices, triangles }: Mesh, space: MeshSpace): Uint8Array<ArrayBuffer> {
  const count = triangles.length / 3;
  const header = new TextEncoder().encode(
    `ply\nformat binary_little_endian 1.0\ncomment voxgrad SPACE=${space}\nelement vertex ${vertices.length / 3}\n` +
      `property float x\nproperty float y\nproperty float z\nelement face ${count}\nproperty list uchar int vertex_indices\nend_header\n`,
  );
  const out = new Uint8Array(header.length + 4 * vertices.length + 13 * count);
  out.set(header);
  const view = new DataView(out.buffer);
  let at = header.length;
  for (let i = 0; i < vertices.length; i++, at += 4) view.setFloat32(at, vertices[i], true);
  for (let t = 0; t < triangles.length; t += 3, at += 13) {
    out[at] = 3;
    for (let k = 0; k < 3; k++) view.setInt32(at + 1 + 4 * k, triangles[t + k], true);
  }
  return out;
}
