/** @file `RandTranspose`, and the spatial augmentation of the CHAOS recipe, which albumentations' names describe. */
import { expectArguments } from "../../../host/kinds.ts";
import { expectOptions } from "../../../host/options.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { arrayAxis, spatialShape } from "../../../host/strided.ts";
import { Compose } from "../compose.ts";
import { turn } from "../moved.ts";
import { onKeys, type OnKeysOptions } from "../on_keys.ts";
import { type Item, MaybeTransform, type RandomTransform } from "../transform.ts";
import { RandFlip } from "./flip.ts";
import { RandRotate90, type Plane } from "./rotate90.ts";
import { RandZoom } from "./zoom.ts";
import { checkedOptions } from "../options.ts";

/**
 * With probability `prob` (default 0.5) swaps two spatial axes (default [0, 1]). Not among MONAI's: albumentations' Transpose is `RandTranspose` here.
 *
 * Shapes: `[C, a, b]` → `[C, b, a]` where it acts.
 * Geometry: kept.
 * Draws: `rand()` against `prob`. `spatialAxes` are the two.
 * @throws ConfigError for a `prob` outside 0 … 1 and equal axes, ShapeError for an axis outside the image
 */
export class RandTranspose extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "prob:number spatialAxes:numbers";
  private readonly plane: Plane;

  constructor(options: { readonly prob?: number; readonly spatialAxes?: Plane } = {}) {
    const { prob = 0.5, spatialAxes = [0, 1] } = checkedOptions("RandTranspose", options, RandTranspose.options);
    super("RandTranspose", prob);
    this.plane = spatialAxes;
  }

  protected draw(): void {}
  protected act(x: HostArray): HostArray {
    const [a, b] = this.plane.map((axis) => arrayAxis("RandTranspose", axis, x) - 1);
    if (a === b) throw new ConfigError(`RandTranspose: spatialAxes must be two different axes, got [${this.plane.join(", ")}]`);
    const axes = spatialShape("RandTranspose", x).map((_, i) => (i === a ? b : i === b ? a : i));
    return turn(
      "RandTranspose",
      x,
      axes,
      axes.map(() => false),
    );
  }
}

/**
 * The spatial augmentation of the CHAOS liver recipe for slices `[C, h, w]`: vertical and horizontal flip, transposition, scale by 0.9 … 1.1 at the
 * same size (linear, mirrored beyond the border), and a quarter turn, each with probability 0.5, in albumentations' order. Its brightness and contrast are
 * intensity transforms.
 * @param keys entries that are moved together; the options name which of them are labels
 */
export function chaosAugmentation(keys: string | readonly string[], options: OnKeysOptions = {}): Compose<Item> {
  expectOptions("chaosAugmentation", options, "labels compat:text allowMissingKeys:boolean");
  expectArguments("chaosAugmentation", "texts", { keys: typeof keys === "string" ? [keys] : keys });
  const chain: RandomTransform[] = [
    new RandFlip({ prob: 0.5, spatialAxis: 1 }),
    new RandFlip({ prob: 0.5, spatialAxis: 0 }),
    new RandTranspose({ prob: 0.5 }),
    new RandZoom({ prob: 0.5, minZoom: 0.9, maxZoom: 1.1, mode: "bilinear", paddingMode: "reflect" }),
    // albumentations also draws a turn by nothing; behind two flips and a transposition all eight positions come equally often either way.
    new RandRotate90({ prob: 0.5, maxK: 3 }),
  ];
  return new Compose<Item>(chain.map((t) => onKeys(keys, t, options)));
}
