/** @file Surfaces are closed, two triangles at every edge, with their outside outside; area and volume are those of the shape. */
import { describe, expect, test } from "vitest";
import { encodeMesh, meshFormatOf } from "../../../src/host/bytes/mesh_files.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { contourLines } from "../../../src/host/grid/contours.ts";
import { marchingCubes } from "../../../src/host/grid/marching_cubes.ts";
import { enclosedVolume, type Mesh, smoothMesh, surfaceArea, transformMesh } from "../../../src/host/grid/mesh.ts";

/** Edges that do not have exactly one triangle on each side. */
function openEdges({ triangles }: Mesh): number {
  const seen = new Map<string, number>();
  for (let t = 0; t < triangles.length; t++) {
    const edge = `${triangles[t]},${triangles[t % 3 === 2 ? t - 2 : t + 1]}`;
    seen.set(edge, (seen.get(edge) ?? 0) + 1);
  }
  return [...seen].filter(([edge, n]) => n !== 1 || seen.get(edge.split(",").reverse().join(",")) !== 1).length;
}

function ball(size: number, radius: number): Float32Array {
  const c = size / 2 - 0.3;
  return Float32Array.from({ length: size ** 3 }, (_, i) => {
    const [x, y, z] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
    return radius - Math.hypot(x - c, y - c - 0.2, z - c + 0.1);
  });
}

describe("a ball", () => {
  const [size, radius] = [36, 14];
  const [area, volume] = [4 * Math.PI * radius ** 2, (4 / 3) * Math.PI * radius ** 3];
  const field = ball(size, radius);
  const smooth = marchingCubes(field, [size, size, size], 0);
  const steps = marchingCubes(
    field.map((v) => Number(v > 0)),
    [size, size, size],
    0.5,
  );

  test("of distances has the area and the volume to 0.5 %", () => {
    expect(openEdges(smooth)).toBe(0);
    expect(Math.abs(surfaceArea(smooth) / area - 1)).toBeLessThan(0.005);
    expect(Math.abs(enclosedVolume(smooth) / volume - 1)).toBeLessThan(0.005);
  });

  test("of a mask has the volume of its voxels, and smoothed nearly the area", () => {
    expect(openEdges(steps)).toBe(0);
    expect(Math.abs(enclosedVolume(steps) / volume - 1)).toBeLessThan(0.01);
    expect(surfaceArea(steps) / area).toBeGreaterThan(1.05);
    const faired = smoothMesh(steps);
    expect(Math.abs(surfaceArea(faired) / area - 1)).toBeLessThan(0.02);
    expect(Math.abs(enclosedVolume(faired) / volume - 1)).toBeLessThan(0.01);
  });

  test("mirrored and scaled keeps its outside outside", () => {
    const mirrored = transformMesh(smooth, [
      [-2, 0, 0, 5],
      [0, 1, 0, -7],
      [0, 0, 3, 1],
    ]);
    expect(openEdges(mirrored)).toBe(0);
    expect(enclosedVolume(mirrored) / enclosedVolume(smooth)).toBeCloseTo(6, 4);
  });
});

test.each([0.1, 0.3, 0.5, 0.7, 0.9])("noise with a share of %f is closed, at the border too", (share) => {
  let seed = 7;
  const noise = Uint8Array.from({ length: 12 * 13 * 14 }, () =>
    Number((seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 < share),
  );
  const mesh = marchingCubes(noise, [12, 13, 14], 0.5);
  expect(mesh.triangles.length).toBeGreaterThan(0);
  expect(openEdges(mesh)).toBe(0);
  expect(enclosedVolume(mesh)).toBeGreaterThan(0);
});

test("a voxel is an octahedron", () => {
  const mesh = marchingCubes(Uint8Array.of(1), [1, 1, 1], 0.5);
  expect(mesh.triangles.length / 3).toBe(8);
  expect(enclosedVolume(mesh)).toBeCloseTo(1 / 6, 6);
  expect(surfaceArea(mesh)).toBeCloseTo(Math.sqrt(3), 5);
});

test("files say how much is in them and in which space", () => {
  const mesh = marchingCubes(Uint8Array.of(1), [1, 1, 1], 0.5);
  const stl = encodeMesh(mesh, "stl");
  expect([stl.length, new DataView(stl.buffer).getUint32(80, true)]).toEqual([84 + 8 * 50, 8]);
  const ply = new TextDecoder("latin1").decode(encodeMesh(mesh, "ply", "LPS"));
  expect(ply).toContain("comment voxgrad SPACE=LPS\nelement vertex 6\n");
  const obj = (space: "RAS" | "LPS") => new TextDecoder().decode(encodeMesh(mesh, "obj", space)).split("\n");
  expect(obj("RAS").filter((l) => l.startsWith("f ")).length).toBe(8);
  const [ras, lps] = [obj("RAS"), obj("LPS")].map((lines) => lines[1].split(" ").slice(1).map(Number));
  expect(lps.map((v, axis) => v * (axis < 2 ? -1 : 1) + 0)).toEqual(ras.map((v) => v + 0));
  expect(meshFormatOf("a/liver.STL")).toBe("stl");
  expect(() => meshFormatOf("liver.vtk")).toThrow(ConfigError);
});

describe("contour lines", () => {
  test("of one sample are a diamond, of two at a corner two diamonds", () => {
    expect(contourLines(Uint8Array.of(1), [1, 1], 0.5).map((l) => l.length)).toEqual([8]);
    expect(contourLines(Uint8Array.of(1, 0, 0, 1), [2, 2], 0.5).map((l) => l.length)).toEqual([8, 8]);
  });

  test("go around a disk at its radius, and around a hole the other way", () => {
    const n = 31;
    const ring = Float64Array.from({ length: n * n }, (_, i) => {
      const r = Math.hypot(Math.floor(i / n) - 15, (i % n) - 15);
      return Math.min(12 - r, r - 5);
    });
    const lines = contourLines(ring, [n, n], 0);
    const radii = lines.map((l) => Math.hypot(l[0] - 15, l[1] - 15)).sort((a, b) => a - b);
    expect(radii[0]).toBeCloseTo(5, 1);
    expect(radii[1]).toBeCloseTo(12, 1);
    const turns = lines.map((l) => {
      let area = 0;
      for (let k = 0; k < l.length; k += 2) {
        const [r, c] = [l[(k + 2) % l.length], l[(k + 3) % l.length]];
        area += l[k] * c - r * l[k + 1];
      }
      return area / 2;
    });
    expect(Math.sign(turns[0])).toBe(-Math.sign(turns[1]));
    expect(Math.abs(Math.max(...turns.map(Math.abs)) / (Math.PI * 144) - 1)).toBeLessThan(0.01);
  });
});
