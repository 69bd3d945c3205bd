/** @file The slices of a volume as PNG files, a folder per view for images and for labels, as tutorials of slice-wise networks keep them. */

import { expectArguments } from "../../../host/kinds.ts";
import type { SliceOrientation } from "../../../data/orientation.ts";
import { labeledSlices, thinnedSlices } from "../../../data/quicknat_slices.ts";
import { ScaleIntensity } from "../../../data/transforms/index.ts";
import { encodePng } from "../../../host/bytes/png.ts";
import type { HostArray } from "../../../host/array.ts";
import { DataError, ShapeError } from "../../../host/errors.ts";
import { expectOptions } from "../../../host/options.ts";
import { stridesOf } from "../../../host/shape.ts";
import { copyView } from "../../../host/strided.ts";
import { folderOf, viewAxes, views as allViews } from "./views.ts";

/** Options of `sliceFiles`. */
export interface ExportSlicesOptions {
  /** Default all three. */
  readonly views?: readonly SliceOrientation[];
  /** Where the volume's axes point, such as "RAS"; default as FreeSurfer's. */
  readonly orientation?: string | undefined;
  /** Only every second slice; default false. */
  readonly thin?: boolean;
  /** Slices left out at either end; default 0. */
  readonly skipSlices?: number;
  /** Slices whose background covers at least this share are left out, if there is a label; default above 1: none. */
  readonly maxBackground?: number;
}

/** One slice written as PNG, with its label. */
export interface SliceFile {
  /** Such as `coronal_images/case1_012.png`, or `coronal_labels/…`. */
  readonly path: string;
  /** The file's bytes. */
  readonly bytes: Uint8Array;
}

/**
 * PNG files of 8 bits: images from black, the volume's least value, to white; labels with the class index as gray value.
 * @param id of the case, for the files' names
 * @param image `[C, X, Y, Z]`, of which the first channel is taken
 * @param label class indices `[1, X, Y, Z]`
 * @throws ShapeError if both are not of one size; DataError for indices that no byte holds
 */
export async function* sliceFiles(
  id: string,
  image: HostArray,
  label: HostArray | undefined,
  options: ExportSlicesOptions = {},
): AsyncGenerator<SliceFile, void, undefined> {
  expectOptions("sliceFiles", options, "views orientation thin skipSlices maxBackground");
  expectArguments("sliceFiles", "array", { image });
  expectArguments("sliceFiles", "array?", { label });
  const { views = allViews, orientation, thin = false, skipSlices = 0, maxBackground = 2 } = options;
  const size = image.shape.slice(1);
  if (size.length !== 3 || (label && label.shape.slice(1).join() !== size.join())) {
    throw new ShapeError(
      `sliceFiles: the image is [${image.shape}]${label ? `, the label [${label.shape}]` : ""}; expected [C, X, Y, Z] and a label of that size`,
    );
  }
  const bad = label?.data.find((v) => !(Number.isInteger(v) && v >= 0 && v <= 255));
  if (bad !== undefined)
    throw new DataError(`sliceFiles: case "${id}": the label holds ${bad}; expected class indices 0 … 255: map the labels first`);
  const first = { data: image.data.subarray(0, size[0] * size[1] * size[2]), shape: [1, ...size] };
  const gray = new ScaleIntensity({ minv: 0, maxv: 255 }).apply(first);
  const pixels = { images: Uint8Array.from(gray.data, Math.round), labels: label && Uint8Array.from(label.data) };
  const strides = stridesOf(size);
  for (const view of views) {
    const axes = viewAxes(view, orientation);
    const [count, height, width] = axes.map((a) => size[a]);
    const stack = (data: Uint8Array) =>
      copyView(
        data,
        [count, height, width],
        axes.map((a) => strides[a]),
        0,
      );
    let kept = thin ? thinnedSlices(count, { skip: skipSlices }) : [];
    if (!thin) for (let i = skipSlices; i < count - skipSlices; i++) kept.push(i);
    if (pixels.labels) {
      const shown = new Set(labeledSlices(stack(pixels.labels), { share: maxBackground }));
      kept = kept.filter((i) => shown.has(i));
    }
    for (const [kind, data] of Object.entries(pixels)) {
      if (!data) continue;
      const slices = stack(data).data;
      for (const i of kept) {
        const part = slices.slice(i * height * width, (i + 1) * height * width);
        const bytes = await encodePng({ width, height, channels: 1, data: part });
        yield { path: `${folderOf(view, kind)}/${id}_${String(i).padStart(3, "0")}.png`, bytes };
      }
    }
  }
}
