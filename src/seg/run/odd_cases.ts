/**
 * @file Cases that can be trained on and that somebody should look at: images without any contrast, images that are there twice, and lengths in
 * another unit than mm.
 */

import { bytesOf } from "../../host/array.ts";
import type { Volume } from "../../data/volume.ts";
import { counted } from "../../host/text.ts";

// Cases that a note names.
const named = 5;

const list = (ids: readonly string[]): string =>
  ids.slice(0, named).join(", ") + (ids.length > named ? ` and ${ids.length - named} more` : "");

/** Two words that follow from all voxels (FNV-1a of 32 bits, of the bytes from either end), and the shape: images of the same are the same. */
function fingerprint({ data, shape }: Volume): string {
  const bytes = bytesOf(data);
  let [forward, backward] = [0x811c9dc5, 0x811c9dc5];
  for (let i = 0, last = bytes.length - 1; i <= last; i++) {
    forward = Math.imul(forward ^ bytes[i], 0x01000193);
    backward = Math.imul(backward ^ bytes[last - i], 0x01000193);
  }
  return `${shape.join()} ${forward} ${backward}`;
}

function isConstant(channel: ArrayLike<number>): boolean {
  for (let i = 1; i < channel.length; i++) if (channel[i] !== channel[0]) return false;
  return true;
}

/** Looks at images as they are read; none is kept. */
export class OddCases {
  private readonly constant: string[] = [];
  private readonly byUnit = new Map<string, string[]>();
  private readonly byImage = new Map<string, { readonly trained: string[]; readonly validated: string[] }>();

  /** @param trained whether the case is one to train on */
  add(id: string, image: Volume, trained: boolean): void {
    const unit = image.units === "um" || image.units === "m" ? image.units : "mm";
    this.byUnit.set(unit, [...(this.byUnit.get(unit) ?? []), id]);
    const voxels = image.data.length / image.shape[0];
    const channels = Array.from({ length: image.shape[0] }, (_, c) => image.data.subarray(c * voxels, (c + 1) * voxels));
    if (channels.some(isConstant)) {
      // Of these all are alike, which says nothing.
      this.constant.push(id);
      return;
    }
    const key = fingerprint(image);
    const same = this.byImage.get(key) ?? { trained: [], validated: [] };
    this.byImage.set(key, same);
    same[trained ? "trained" : "validated"].push(id);
  }

  /** A sentence for each thing that is odd. */
  get notes(): string[] {
    const twice = [...this.byImage.values()].filter((same) => same.trained.length + same.validated.length > 1);
    const units = [...this.byUnit].filter(([unit]) => unit !== "mm");
    return [
      ...units.map(([unit, ids]) => {
        const mixed = this.byUnit.size > 1 ? "; others do not, so that numbers differ where sizes do not: give all one unit" : "";
        return `warning: images whose headers count in ${unit}, in which voxel sizes among the options are then: ${list(ids)}${mixed}`;
      }),
      ...(this.constant.length === 0
        ? []
        : [`warning: ${counted(this.constant.length, "image")} of one value, at least in a channel: ${list(this.constant)}`]),
      ...twice.map(({ trained, validated }) => {
        const leaks =
          trained.length > 0 && validated.length > 0
            ? `; ${list(validated)} validates what ${list(trained)} trains, so that scores will be too good`
            : "";
        return `warning: cases with the same image: ${list([...trained, ...validated])}${leaks}`;
      }),
    ];
  }
}
