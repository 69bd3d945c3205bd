/** @file Scans on their way into the recipe "nodules" and out of it: cubes of voxels as bytes, and label maps back on the scan's own grid. */

import { nodulesOfMask } from "../../../data/nodules/mask_nodules.ts";
import { noduleMask, prepareScan } from "../../../data/nodules/prepare.ts";
import { holdsIntegers, type HostArray, sizeOf } from "../../../host/array.ts";
import { DataError } from "../../../host/errors.ts";
import type { LoadedCase } from "../recipe.ts";
import type { PreparedScan } from "./crops.ts";
import type { NoduleOptions } from "./options.ts";

/** `[1, x, y, z]` on a grid of another size with the same borders: for each voxel the one that its middle lies in. */
export function regridded({ data, shape }: HostArray, size: readonly number[]): HostArray<Uint8Array> {
  const [, ...from] = shape;
  const [ix, iy, iz] = size.map((n, a) =>
    Int32Array.from({ length: n }, (_, i) => Math.min(from[a] - 1, Math.floor(((i + 0.5) * from[a]) / n))),
  );
  const out = new Uint8Array(sizeOf(size));
  let to = 0;
  for (const x of ix) {
    for (const y of iy) {
      const row = (x * from[1] + y) * from[2];
      for (let z = 0; z < iz.length; z++) out[to++] = data[row + iz[z]];
    }
  }
  return { data: out, shape: [1, ...size] };
}

/** 1 where a label is not 0. */
function marked(label: HostArray): HostArray<Uint8Array> {
  if (label.data instanceof Uint8Array && !label.data.some((v) => v > 1)) return label as HostArray<Uint8Array>;
  const data = new Uint8Array(label.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Number(label.data[i] !== 0);
  return { data, shape: label.shape };
}

function expectNumbers({ id, image: { data } }: LoadedCase): void {
  if (holdsIntegers(data)) return;
  for (let i = 0; i < data.length; i++)
    if (Number.isNaN(data[i])) throw new DataError(`case "${id}": voxel ${i} of the image is NaN; repair or leave out the case`);
}

/** Windows and resamples a scan, and finds the boxes of its nodules. Throws `ConfigError`, `DataError`. */
export function preparedScan(source: LoadedCase, { spacing, window, mask }: NoduleOptions): PreparedScan {
  expectNumbers(source);
  const nodules = source.nodules ?? (source.label ? nodulesOfMask(source.label) : []);
  const { image, nodules: boxes } = prepareScan(source.image, nodules, { spacing, window: [window[0], window[1]] });
  const size = image.shape.slice(1);
  const own = mask === "label" ? source.label : undefined;
  const same = own && own.shape.slice(1).every((n, a) => n === size[a]);
  const label = own
    ? marked(same ? own : regridded(own, size))
    : { data: noduleMask(boxes, [0, 0, 0], size, image.affine), shape: [1, ...size] };
  return { image: { data: image.data, shape: image.shape }, label, boxes };
}
