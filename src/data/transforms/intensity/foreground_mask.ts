/** @file `ForegroundMask`: the tissue of a stained slide. */
import { expectArguments, refused } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { elements, integerRange, nativeOf } from "../../../host/elements.ts";
import { type ThresholdName, thresholdMethods } from "../../../host/thresholds.ts";
import type { Transform } from "../transform.ts";
import { channels, intoType } from "./arithmetic.ts";
import { allOptions } from "../options.ts";

/** A value, a method that finds one, or a function of a channel's values. The function gets all voxels of a channel. These are flat: `[voxels]`. */
export type Threshold = number | ThresholdName | ((channel: TypedArray) => number);

/** What `ForegroundMask` compares with. */
export interface ForegroundMaskOptions {
  /** Of red, green and blue: foreground is at or below it. One for all, or by channel ("R", "G", "B"). Default "otsu"; null for none. */
  readonly threshold?: Threshold | Readonly<Record<string, Threshold | null>> | null;
  /** Of hue, saturation and value: foreground is above it. One for all, or by channel ("H", "S", "V"). Default null: none. */
  readonly hsvThreshold?: Threshold | Readonly<Record<string, Threshold | null>> | null;
  /** Invert the intensities first. Default false. */
  readonly invert?: boolean;
}

/**
 * 1 where a color is dark (any of R, G and B at or below its threshold) and, with `hsvThreshold`, colored (any of H, S and V above its own), else 0. A
 * threshold of 0 does not count. The element type stays. MONAI's `ForegroundMask`.
 *
 * Shapes: `[3, …]` → `[1, …]`.
 * Geometry: kept.
 * @throws ConfigError without a threshold for any channel, for an unknown method and an unknown option, ShapeError without three channels for HSV
 */
export class ForegroundMask implements Transform {
  private readonly thresholds: ReadonlyMap<string, Threshold>;
  private readonly invert: boolean;

  constructor(options: ForegroundMaskOptions = {}) {
    const defaults = { threshold: "otsu", hsvThreshold: null, invert: false } as const;
    const { threshold, hsvThreshold, invert } = allOptions(
      "ForegroundMask",
      options,
      "threshold hsvThreshold invert:boolean",
      defaults,
    );
    this.thresholds = new Map([...byChannel(threshold, "RGB"), ...byChannel(hsvThreshold, "HSV")]);
    if (![..."RGBHSV"].some((c) => this.thresholds.has(c)))
      throw new ConfigError("ForegroundMask: there is no threshold for a channel of RGB or HSV; set at least one");
    this.invert = invert;
  }

  apply(x: HostArray): HostArray {
    expectArguments("ForegroundMask", "array", { x });
    const image = this.invert ? inverted(x.data) : x.data;
    const count = x.shape[0];
    const size = x.data.length / count;
    const mask = new Uint8Array(size).fill(1);
    if (this.has("RGB")) this.narrow(mask, channels(image, count), "RGB", (v, t) => v <= t);
    if (this.has("HSV")) {
      if (count !== 3)
        throw new ShapeError(`ForegroundMask: hsvThreshold needs three channels, got shape [${x.shape.join(", ")}]`);
      this.narrow(mask, toHsv(channels(image, 3)), "HSV", (v, t) => v > t);
    }
    return { ...x, data: intoType(mask, x.data), shape: [1, ...x.shape.slice(1)] };
  }

  private has(names: string): boolean {
    return [...names].some((c) => this.thresholds.has(c));
  }

  /** Leaves in the mask what any of the channels selects. */
  private narrow(
    mask: Uint8Array,
    image: readonly TypedArray[],
    names: string,
    selects: (v: number, t: number) => boolean,
  ): void {
    const any = new Uint8Array(mask.length);
    image.slice(0, names.length).forEach((channel, c) => {
      const threshold = this.thresholds.get(names[c]);
      if (threshold === undefined) return;
      const value = valueOf(threshold, channel);
      if (value) for (let i = 0; i < any.length; i++) if (selects(channel[i], value)) any[i] = 1;
    });
    for (let i = 0; i < mask.length; i++) mask[i] &= any[i];
  }
}

function valueOf(threshold: Threshold, channel: TypedArray): number {
  if (typeof threshold === "number") return threshold;
  return typeof threshold === "function" ? threshold(channel) : thresholdMethods[threshold](channel);
}

function byChannel(given: ForegroundMaskOptions["threshold"], names: string): [string, Threshold][] {
  if (given === null || given === undefined) return [];
  if (typeof given === "boolean") refused("ForegroundMask", "threshold", "a number, a name or a function", given);
  const all: [string, Threshold | null][] = typeof given === "object" ? Object.entries(given) : [...names].map((c) => [c, given]);
  return all.flatMap(([name, t]): [string, Threshold][] => (t === null ? [] : [[name.toUpperCase(), checked(t)]]));
}

function checked(t: Threshold): Threshold {
  if (typeof t !== "string") return t;
  const name = t.toLowerCase();
  if (Object.hasOwn(thresholdMethods, name)) return name as ThresholdName;
  throw new ConfigError(`ForegroundMask: unknown method "${t}"; known are ${Object.keys(thresholdMethods).join(", ")}`);
}

/** What is dark becomes bright: the greatest value of an unsigned type minus x, −1 − x of a signed one, 1 − x of a float. */
function inverted(data: TypedArray): TypedArray {
  const name = nativeOf(data);
  const bounds = name && elements[name].kind === "int" ? integerRange(name) : undefined;
  const from = bounds === undefined ? 1 : bounds[0] === 0 ? bounds[1] : -1;
  const out = data.slice();
  for (let i = 0; i < out.length; i++) out[i] = from - out[i];
  return out;
}

/** Hue, saturation and value, each from 0 to 1 for colors from 0 to 1. */
function toHsv([red, green, blue]: readonly TypedArray[]): Float64Array[] {
  const [hue, saturation, value] = [0, 1, 2].map(() => new Float64Array(sizeOf([red.length])));
  for (let i = 0; i < red.length; i++) {
    const [r, g, b] = [red[i], green[i], blue[i]];
    const max = Math.max(r, g, b);
    const delta = max - Math.min(r, g, b);
    value[i] = max;
    if (delta === 0) continue;
    saturation[i] = delta / max;
    const turn = b === max ? 4 + (r - g) / delta : g === max ? 2 + (b - r) / delta : (g - b) / delta;
    hue[i] = (((turn / 6) % 1) + 1) % 1;
  }
  return [hue, saturation, value];
}
