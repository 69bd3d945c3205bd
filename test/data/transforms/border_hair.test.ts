/** @file Rounding of a matrix does not lose the outermost voxels where places fall on them: splines that have nothing, or the other end, outside. */
import { expect, test } from "vitest";
import { Spacing } from "../../../src/data/transforms/index.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";

/** A rotation about each axis by a drawn angle. */
function rotation(random: RandomState): number[][] {
  const angles = [0, 1, 2].map(() => random.uniform(-3, 3));
  const about = (axis: number): number[][] => {
    const [c, s] = [Math.cos(angles[axis]), Math.sin(angles[axis])];
    const [a, b] = [0, 1, 2].filter((i) => i !== axis);
    const m = [0, 1, 2].map((r) => [0, 1, 2].map((k) => Number(r === k)));
    m[a][a] = m[b][b] = c;
    m[a][b] = -s;
    m[b][a] = s;
    return m;
  };
  const times = (p: number[][], q: number[][]) =>
    p.map((row) => q[0].map((_, c) => row.reduce((sum, v, k) => sum + v * q[k][c], 0)));
  return times(times(about(0), about(1)), about(2));
}

test("the first voxel of a rotated volume is the first at any voxel size", () => {
  const random = new RandomState(4);
  for (let k = 0; k < 200; k++) {
    const sizes = [0, 1, 2].map(() => random.uniform(0.5, 3));
    const affine = rotation(random).map((row) => [...row.map((v, c) => v * sizes[c]), random.uniform(-50, 50)]);
    const shape = [1, 4, 5, 6];
    const data = Float32Array.from({ length: 120 }, (_, i) => 1 + i);
    const volume = makeVolume({ data, shape }, [...affine, [0, 0, 0, 1]]);
    const pixdim = [0, 1, 2].map(() => random.uniform(0.5, 3));
    for (const paddingMode of ["constant", "wrap"] as const)
      expect([k, new Spacing({ pixdim, mode: 1, paddingMode }).apply(volume).data[0]]).toEqual([k, expect.closeTo(1, 4)]);
  }
});
