/**
 * @file Cases that can be trained on and that somebody should look at: images without any contrast, images that are there twice, lengths in another unit
 * than mm, CT that counts from another zero, and voxels of another size.
 */

import { turnTo } from "../../data/axis_codes.ts";
import { millimetersOf, spacingOf, type Volume } from "../../data/volume.ts";
import { bytesOf } from "../../host/array.ts";
import { extent, median } from "../../host/stats.ts";
import { counted } from "../../host/text.ts";

// Cases that a note names.
const named = 5;
// CT has air at -1000 HU; stored without a sign, at 0 or 24.
const air = -500;
// Voxels so much longer or shorter along an axis are another resolution, not another scanner's field of view.
const apart = 2;

/** Names with commas between them, the first of many. */
export const listed = (ids: readonly string[]): string =>
  ids.slice(0, named).join(", ") + (ids.length > named ? ` and ${ids.length - named} more` : "");

/** Sizes of voxels, to be read. */
export const shownSize = (sizes: readonly number[]): string => sizes.map((s) => Number(s.toPrecision(3))).join();

/** Whether voxels are of another resolution than `usual`, along one of some axes. */
export const anotherSize = (size: readonly number[], usual: readonly number[], axes: readonly number[]): boolean =>
  axes.some((a) => size[a] >= apart * usual[a] || size[a] * apart <= usual[a]);

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
  private readonly lowest = new Map<string, number>();
  private readonly voxels = new Map<string, readonly number[]>();
  private readonly byImage = new Map<string, { readonly trained: string[]; readonly validated: string[] }>();

  /** @param trained whether the case is one to train on */
  add(id: string, image: Volume, trained: boolean): void {
    const unit = image.units === "um" || image.units === "m" ? image.units : "mm";
    const ofUnit = this.byUnit.get(unit);
    if (ofUnit) ofUnit.push(id);
    else this.byUnit.set(unit, [id]);
    const { axes } = turnTo(image.affine, "RAS");
    const size = spacingOf(image.affine).map((s) => s * millimetersOf(image));
    this.voxels.set(
      id,
      axes.map((a) => size[a]),
    );
    const voxels = image.data.length / image.shape[0];
    const channels = Array.from({ length: image.shape[0] }, (_, c) => image.data.subarray(c * voxels, (c + 1) * voxels));
    if (channels.some(isConstant)) {
      // Of these all are alike, which says nothing.
      this.constant.push(id);
      return;
    }
    this.lowest.set(id, extent(image.data).min);
    const key = fingerprint(image);
    const same = this.byImage.get(key) ?? { trained: [], validated: [] };
    this.byImage.set(key, same);
    same[trained ? "trained" : "validated"].push(id);
  }

  /**
   * Voxels of another resolution than most.
   * @param orientation in which cases are prepared, such as "RAS"
   * @param axes that count there, see `storedAxes`
   */
  gridNotes(orientation: string, axes: readonly number[]): string[] {
    const sizes = [...this.voxels.values()];
    const middle = [0, 1, 2].map((a) => median(sizes.map((s) => s[a])));
    const counted = axes.map((a) => ["RL", "AP", "SI"].findIndex((ends) => ends.includes(orientation[a])));
    const ids = [...this.voxels].filter(([, s]) => anotherSize(s, middle, counted)).map(([id, s]) => `${id} [${shownSize(s)}]`);
    if (ids.length === 0) return [];
    return [
      `warning: voxels of another size than the median [${shownSize(middle)}] mm: ${listed(ids)}; this recipe does not resample: resample them, or take the recipe nnunet`,
    ];
  }

  private get offsetNotes(): string[] {
    const lowest = [...this.lowest];
    const unsigned = lowest.filter(([, v]) => v >= 0).map(([id]) => id);
    if (unsigned.length === 0 || 2 * lowest.filter(([, v]) => v <= air).length <= lowest.length) return [];
    return [
      `warning: images without a negative value, where most reach below ${air} as CT in HU does: ${listed(unsigned)}; their zero may be another`,
    ];
  }

  /** A sentence for each thing that is odd. */
  get notes(): string[] {
    const twice = [...this.byImage.values()].filter((same) => same.trained.length + same.validated.length > 1);
    const units = [...this.byUnit].filter(([unit]) => unit !== "mm");
    return [
      ...units.map(([unit, ids]) => {
        const mixed = this.byUnit.size > 1 ? "; others do not, so that numbers differ where sizes do not: give all one unit" : "";
        return `warning: images whose headers count in ${unit}, in which voxel sizes among the options are then: ${listed(ids)}${mixed}`;
      }),
      ...this.offsetNotes,
      ...(this.constant.length === 0
        ? []
        : [`warning: ${counted(this.constant.length, "image")} of one value, at least in a channel: ${listed(this.constant)}`]),
      ...twice.map(({ trained, validated }) => {
        const leaks =
          trained.length > 0 && validated.length > 0
            ? `; ${listed(validated)} validates what ${listed(trained)} trains, so that scores will be too good`
            : "";
        return `warning: cases with the same image: ${listed([...trained, ...validated])}${leaks}`;
      }),
    ];
  }
}
