/** @file `RandomBrightnessContrast` as in albumentations. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { elements, integerRange, nativeOf } from "../../../host/elements.ts";
import { workingCopy } from "../shape/cast.ts";
import { MaybeTransform } from "../transform.ts";
import { type Bounds, boundsOf, clamp, intoType, linear } from "./arithmetic.ts";
import { meanOf } from "./moments.ts";
import { allOptions } from "../options.ts";

/** What `RandomBrightnessContrast` draws. */
export interface RandomBrightnessContrastOptions {
  /** Range of the brightness; a number v means [−v, v]. Default 0.2. */
  readonly brightnessLimit?: Bounds;
  /** Range of the contrast; a number v means [−v, v]. Default 0.2. */
  readonly contrastLimit?: Bounds;
  /** Brightness counts in the greatest value of the element type (1 of floats); else in the mean of the image. Default true. */
  readonly brightnessByMax?: boolean;
  /** Clip floats to [0, 1]; integers are always clipped to their type. Default false. */
  readonly clip?: boolean;
  /** Default 0.5. */
  readonly prob?: number;
}

/**
 * x · (1 + contrast) + brightness · (greatest value or mean), with probability `prob` (default 0.5), in the element type of x. As the transform of this
 * name in albumentations; not one of MONAI's: its nearest are `RandScaleIntensity` and `RandShiftIntensity`. `RandomBrightnessContrast`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...contrastLimit)`, `uniform(...brightnessLimit)`.
 * @throws ConfigError for a `prob` outside 0 … 1, limits that are not finite or a contrast below −1, and an unknown option
 */
export class RandomBrightnessContrast extends MaybeTransform {
  private readonly options: Required<RandomBrightnessContrastOptions>;
  private readonly brightness: readonly [number, number];
  private readonly contrast: readonly [number, number];
  private drawn = { contrast: 0, brightness: 0 };

  constructor(options: RandomBrightnessContrastOptions = {}) {
    const defaults = { brightnessLimit: 0.2, contrastLimit: 0.2, brightnessByMax: true, clip: false, prob: 0.5 } as const;
    const all = allOptions(
      "RandomBrightnessContrast",
      options,
      "brightnessLimit:sizes contrastLimit:sizes brightnessByMax:boolean clip:boolean prob:number",
      defaults,
    );
    super("RandomBrightnessContrast", all.prob);
    this.brightness = boundsOf("RandomBrightnessContrast", "brightnessLimit", all.brightnessLimit);
    this.contrast = boundsOf("RandomBrightnessContrast", "contrastLimit", all.contrastLimit);
    if (this.contrast[0] < -1)
      throw new ConfigError(`RandomBrightnessContrast: contrastLimit must not be below -1, got ${this.contrast[0]}`);
    this.options = all;
  }

  protected draw(): void {
    this.drawn = { contrast: this.random.uniform(...this.contrast), brightness: this.random.uniform(...this.brightness) };
  }
  protected act(x: HostArray): HostArray {
    const { brightnessByMax, clip } = this.options;
    const data = workingCopy(x.data);
    const name = nativeOf(x.data);
    const bounds = name && elements[name].kind === "int" ? integerRange(name) : undefined;
    const unit = brightnessByMax ? (bounds?.[1] ?? 1) : meanOf(data).mean;
    linear(data, 0, 1, 1 + this.drawn.contrast, this.drawn.brightness * unit);
    if (bounds) clamp(data, bounds[0], bounds[1]);
    else if (clip) clamp(data, 0, 1);
    return { ...x, data: intoType(data, x.data) };
  }
}
