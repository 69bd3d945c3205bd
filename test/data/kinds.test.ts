/** @file What users of plain JavaScript hand over by mistake, and what they are told. */

import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import * as node from "../../src/data/index.node.ts";
import { ConfigError } from "../../src/host/errors.ts";
import { readWeights } from "../../src/weights/index.ts";

const any = <T>(v: unknown): T => v as T;
const image = { data: Float32Array.from({ length: 64 }, (_, i) => i), shape: [1, 4, 4, 4] };
const volume = data.makeVolume(image);
// As a tensor of the device looks to the host.
class Tensor {
  readonly shape = [1, 4, 4, 4];
  data(): Promise<Float32Array> {
    return Promise.resolve(image.data);
  }
}
const file = new File([new Uint8Array(8)], "scan.nii");

test.each<[string, () => unknown, RegExp]>([
  [
    "a path where bytes are wanted",
    () => readWeights(any("net.pt")),
    /^readWeights: bytes must be a Uint8Array, got the text "net\.pt"; read the file first/,
  ],
  [
    "a File where bytes are wanted",
    () => readWeights(any(file)),
    /bytes must be a Uint8Array, got a File; take new Uint8Array\(await file\.arrayBuffer\(\)\)/,
  ],
  [
    "a path where a File is wanted",
    () => data.readImage(any("scan.nii")),
    /^readImage: source must be .*readImageFile and LoadImageFile of voxgrad\/data\/node/,
  ],
  ["a File where a path is wanted", () => node.readImageFile(any(file)), /^readImageFile: path must be a text, got a File/],
  [
    "a File as a file of a series",
    () => data.readDicom(any(file)),
    /file must be a file \{ name, blob \}, got a File; take \{ name: file\.name, blob: file \}/,
  ],
  [
    "Files of a series",
    () => data.listSeries(any([file])),
    /files must be a list of files \{ name, blob \}, got a list; take Array\.from\(files, \(file\) => /,
  ],
  ["a response", () => data.readImage(any(new Response())), /got a Response; take await response\.blob\(\)$/],
  ["a stream", () => data.readImage(any(file.stream())), /got a ReadableStream; take await new Response\(stream\)\.blob\(\)$/],
  [
    "a path as an image",
    () => new data.Flip().apply(any("scan.nii")),
    /^Flip: x must be a host array \{ data, shape \}, got the text "scan\.nii"; read the file first/,
  ],
  [
    "a tensor as an image",
    () => new data.ScaleIntensity().apply(any(new Tensor())),
    /^ScaleIntensity: x must be .*got a Tensor; read the tensor back first/,
  ],
  ["the voxels alone", () => new data.RandFlip().apply(any(image.data)), /^RandFlip: x must be a host array/],
  [
    "an array where a volume is wanted",
    () => node.writeImageFile("a.nii", any(image)),
    /volume must be a volume \{ data, shape, affine \}, got a host array/,
  ],
  [
    "a class for an instance",
    () => new data.Compose(any<data.Transform[]>([new data.Flip(), data.RandFlip])),
    /^Compose: transforms must be a list of transforms, got a list; make one: new RandFlip/,
  ],
  [
    "one transform for a list",
    () => new data.Compose(any<data.Transform[]>(new data.Flip())),
    /transforms must be a list of transforms, got a Flip; put it in a list/,
  ],
  [
    "a class in a dictionary form",
    () => data.onKeys(["image"], any(data.Flip)),
    /^onKeys: transform must be a transform, got the class Flip; make one: new Flip/,
  ],
  [
    "a class in a dataset",
    () => new data.MapDataset([image], data.RandFlip as never),
    /^MapDataset: transform must be a transform or a function, got the class RandFlip/,
  ],
  [
    "no dataset",
    () => new data.DataLoader(3 as never),
    /^DataLoader: data must be a list of items or a dataset, got the number 3/,
  ],
  [
    "a path in an item",
    () => data.onKeys(["image"], new data.Flip()).apply({ image: "scan.nii" }),
    /^Flip: the item has no array under "image" but the text "scan\.nii"/,
  ],
  [
    "one number for a shape",
    () => data.connectedComponents(image.data, any(64)),
    /^connectedComponents: shape must be a list of numbers, got the number 64; put it in a list/,
  ],
  [
    "an option of another kind",
    () => new data.RandFlip({ prob: any("0.5") }),
    /^RandFlip: options\.prob must be a number, got the text "0\.5"/,
  ],
  [
    "a text for true",
    () => new data.NormalizeIntensity({ nonzero: any("false") }),
    /^NormalizeIntensity: options\.nonzero must be true or false/,
  ],
  [
    "no options where some are needed",
    () => new data.Spacing(any({})),
    /^Spacing: options\.pixdim must be a number or a list of numbers, got undefined/,
  ],
  [
    "positional in place of named",
    () => new data.Spacing(any([1, 1, 1])),
    /^Spacing: the options must be an object such as \{ pixdim: … \}, got a list/,
  ],
  [
    "names in place of ids",
    () => data.kFold(any("a")),
    /^kFold: ids must be a list of texts, got the text "a"; put it in a list/,
  ],
])("kinds/%s", async (_, call, message) => {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toMatch(message);
});

test("kinds/what is right goes through", () => {
  expect(new data.Compose([data.onKeys("image", new data.Flip())]).apply({ image: volume })).toHaveProperty("image");
  expect(() => data.makeVolume(image, [[1, 0, 0, 0]] as never)).toThrow(ConfigError);
});

test("what another window made, a FileList and memory that threads share are read as ours", async () => {
  const bytes = await data.writeNifti(volume);
  const theirs: Uint8Array = new (runInNewContext("Uint8Array"))(bytes);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  // What a page has of an <input type="file">, and of a frame: no instance of Array, and none of its own Blob.
  const list = { length: 1, 0: new File([bytes as Uint8Array<ArrayBuffer>], "a.nii"), [Symbol.toStringTag]: "FileList" };
  class OtherBlob {
    readonly [Symbol.toStringTag] = "File";
    readonly name = "a.nii";
    readonly size = bytes.length;
    private readonly own = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    slice = (...range: number[]) => this.own.slice(...range);
    arrayBuffer = () => this.own.arrayBuffer();
    stream = () => this.own.stream();
  }
  for (const source of [theirs, theirs.buffer, shared, shared.buffer, list, new OtherBlob()])
    expect((await data.readImage(any(source))).data).toEqual(image.data);
  expect((await data.readNifti(any(new OtherBlob()))).data).toEqual(image.data);
  await expect(readWeights(any(theirs.subarray(0, 4)))).rejects.toThrow(/^weights: this is neither/);
});
