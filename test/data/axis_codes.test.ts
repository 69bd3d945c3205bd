/** @file Where axes point, and volumes turned another way: every voxel keeps its place in space. */
import { expect, test } from "vitest";
import { axisCodes, toAxisCodes, turnTo, turnVolume, undone } from "../../src/data/axis_codes.ts";
import { type Affine, identityAffine, makeVolume, type Volume } from "../../src/data/volume.ts";
import { ConfigError } from "../../src/host/errors.ts";

const affineOf = (m: number[][], origin = [0, 0, 0]): Affine => [...m.map((row, r) => [...row, origin[r]]), [0, 0, 0, 1]];

// The last six by nibabel's rule in NumPy: the rotation nearest to the axes by SVD, the most aligned axis first.
test.each<[number[][], string]>([
  [
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    "RAS",
  ],
  [
    [
      [-2, 0, 0],
      [0, 1, 0],
      [0, 0, 3],
    ],
    "LAS",
  ],
  [
    [
      [0, 0, -2],
      [-1, 0, 0],
      [0, 3, 0],
    ],
    "PSL",
  ],
  [
    [
      [0.13, -0.26, 1.92],
      [0.1, -1.07, 1.08],
      [1.3, 1.89, -2.11],
    ],
    "SPR",
  ],
  [
    [
      [-1.27, -1.25, 0.12],
      [-2.33, -0.44, -3.74],
      [-0.73, -1.09, -0.95],
    ],
    "LIP",
  ],
  [
    [
      [0.41, 2.09, -0.39],
      [1.37, -1.33, 1.05],
      [0.9, 0.19, -2.23],
    ],
    "ARI",
  ],
  [
    [
      [-0.92, -0.92, 0.66],
      [-1.01, -0.42, -0.48],
      [0.54, 0.43, 1.07],
    ],
    "PLS",
  ],
  [
    [
      [-0.65, -0.26, 2.35],
      [1.49, -2.52, 4.54],
      [1.35, 1.56, 0.79],
    ],
    "ASR",
  ],
  [
    [
      [-0.31, 2.92, 5.88],
      [1.8, 2.63, 1.07],
      [-1.21, -0.01, 1.97],
    ],
    "IAR",
  ],
])("%j is %s", (m, codes) => {
  expect(axisCodes(affineOf(m))).toBe(codes);
});

const volume = makeVolume(
  { data: Int16Array.from({ length: 48 }, (_, i) => i), shape: [2, 2, 3, 4] },
  affineOf(
    [
      [-2, 0.25, 0],
      [0.25, 2, 0.5],
      [0, -0.5, 3],
    ],
    [90, -126.5, -72],
  ),
);

/** The values of a volume by their place. */
function byPlace({ data, shape, affine }: Volume): Map<string, number[]> {
  const [, nx, ny, nz] = shape;
  const places = new Map<string, number[]>();
  for (let c = 0, i = 0; c < shape[0]; c++)
    for (let x = 0; x < nx; x++)
      for (let y = 0; y < ny; y++)
        for (let z = 0; z < nz; z++, i++) {
          const place = affine.slice(0, 3).map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);
          places.set(place.join(), [...(places.get(place.join()) ?? []), data[i]]);
        }
  return places;
}

test.each(["RAS", "LPI", "PSR", "SAR", "IRA", "ALS"])("to %s and back", (codes) => {
  const turned = toAxisCodes(volume, codes);
  expect(axisCodes(turned.affine)).toBe(codes);
  expect(turned.data).toBeInstanceOf(Int16Array);
  expect(byPlace(turned)).toEqual(byPlace(volume));
  const back = turnVolume(turned, undone(turnTo(volume.affine, codes)));
  expect([back.shape, back.affine, [...back.data]]).toEqual([volume.shape, volume.affine, [...volume.data]]);
});

test("nothing is copied where nothing is to be done, and codes must name three axes", () => {
  expect(toAxisCodes(volume, "LAS")).toBe(volume);
  for (const codes of ["RRS", "RA", "RASX", "ras", "XYZ"]) expect(() => toAxisCodes(volume, codes)).toThrow(ConfigError);
  expect(axisCodes(identityAffine)).toBe("RAS");
});
