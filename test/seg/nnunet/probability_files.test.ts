/** @file What nnU-Net writes with probabilities: an archive with the axes turned around, in zip64, and a pickle of the geometry. Python's readers were shown both. */

import { expect, test } from "vitest";
import { makeVolume, readImage, type Volume } from "../../../src/data/index.ts";
import { Budget, failing } from "../../../src/host/bytes/budget.ts";
import { probabilityFiles } from "../../../src/seg/nnunet/probability_files.ts";
import { unpickle } from "../../../src/weights/torch/pickle.ts";

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for await (const piece of pieces) all.push(...piece);
  return Uint8Array.from(all);
}

const none = { call: () => undefined, persistent: () => undefined, build: () => false };

async function written(image: Volume, reader: string) {
  const size = image.shape.slice(1);
  const voxels = size.reduce((n, s) => n * s, 1);
  const channel = (c: number) => Float32Array.from({ length: voxels }, (_, i) => c * 100 + i);
  const files = probabilityFiles(image, { channels: 2, shape: size, channel }, reader, {
    spacing: [3, 2, 1],
    shapeBeforeCropping: [4, 3, 2],
    bboxUsedForCropping: [
      [0, 4],
      [1, 3],
      [0, 2],
    ],
    shapeAfterCroppingAndBeforeResampling: [4, 2, 2],
  });
  expect([...files.keys()]).toEqual([".npz", ".pkl"]);
  const array = await readImage(await bytesOf(files.get(".npz")!()), { name: "case.npz", array: "probabilities" });
  const pickle = await bytesOf(files.get(".pkl")!());
  const fail = failing("test");
  return { array, geometry: unpickle(pickle, 0, none, new Budget(1e6, fail), fail).value as Map<string, unknown> };
}

/** Two voxels along x of 1 mm, to the left; three along y of 2 mm; four along z of 3 mm. */
const image = makeVolume({ data: new Float32Array(24), shape: [1, 2, 3, 4] }, [
  [-1, 0, 0, 10],
  [0, 2, 0, -20],
  [0, 0, 3, 30],
  [0, 0, 0, 1],
]);

test("in the file's own orientation, with ITK's geometry", async () => {
  const { array, geometry } = await written(image, "SimpleITKIO");
  expect(array.meta.fields).toMatchObject({ shape: [2, 4, 3, 2], fortranOrder: false });
  const at = (c: number, x: number, y: number, z: number) => array.data[((c * 4 + z) * 3 + y) * 2 + x];
  expect([at(0, 1, 0, 0), at(0, 0, 1, 0), at(0, 0, 0, 1), at(1, 1, 2, 3)]).toEqual([12, 4, 1, 123]);
  expect(geometry.get("spacing")).toEqual([3, 2, 1]);
  expect(geometry.get("shape_before_cropping")).toEqual([4, 3, 2]);
  expect(geometry.get("bbox_used_for_cropping")).toHaveLength(3);
  expect(Object.fromEntries(geometry.get("sitk_stuff") as Map<string, unknown>)).toEqual({
    spacing: [1, 2, 3],
    origin: [-10, 20, 30],
    direction: [1, -0, -0, -0, -1, -0, 0, 0, 1],
  });
});

test("turned to RAS by the readers that do so, and nibabel's geometry", async () => {
  const turned = await written(image, "SimpleITKIOWithReorient");
  const at = (c: number, x: number, y: number, z: number) => turned.array.data[((c * 4 + z) * 3 + y) * 2 + x];
  expect([at(0, 0, 0, 0), at(0, 1, 1, 1)]).toEqual([12, 5]);
  const itk = turned.geometry.get("sitk_stuff") as Map<string, unknown>;
  expect([itk.get("original_orientation"), itk.get("origin")]).toEqual(["LAS", [-9, 20, 30]]);
  const nibabel = (await written(image, "NibabelIOWithReorient")).geometry.get("nibabel_stuff") as Map<string, number[][]>;
  expect([nibabel.get("original_affine")![0], nibabel.get("reoriented_affine")![0]]).toEqual([
    [-1, 0, 0, 10],
    [1, 0, 0, 9],
  ]);
});

test("a picture has neither", async () => {
  const picture = makeVolume({ data: new Uint8Array(6), shape: [1, 3, 2, 1] }, image.affine, { planar: true });
  expect([...(await written(picture, "NaturalImage2DIO")).geometry.keys()][0]).toBe("spacing");
  const flat = (await written(picture, "SimpleITKIO")).geometry.get("sitk_stuff") as Map<string, unknown>;
  expect(flat.get("spacing")).toEqual([1, 2]);
  expect(flat.get("direction")).toEqual([1, -0, -0, -1]);
});
