/** @file Changes of label maps: `LabelToMask`, `MapLabelValue`, `ConvertToMultiChannelBasedOnBratsClasses`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { holdsIntegers, type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { copyOf, unfilledLike } from "../../../host/unfilled.ts";
import { inBlocks } from "../../../host/blocks.ts";
import { castTo, type DTypeName } from "../shape/cast.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** What `LabelToMask` selects. */
export interface LabelToMaskOptions {
  /** Label values; of a one-hot map the channels. */
  readonly selectLabels: number | readonly number[];
  /** One mask for all of them. Default false. */
  readonly mergeChannels?: boolean;
}

/**
 * 1 where a label map has one of the values, else 0; of a map with several channels the selected ones, as they are. MONAI's `LabelToMask`.
 *
 * Shapes: `[1, …]` → `[1, …]`; `[C, …]` → `[labels, …]`, merged `[1, …]`.
 * Geometry: kept.
 * @throws ShapeError for a channel that the map does not have, ConfigError for an unknown option
 */
export class LabelToMask implements Transform {
  private readonly labels: readonly number[];
  private readonly mergeChannels: boolean;

  constructor(options: LabelToMaskOptions) {
    const defaults = { selectLabels: required, mergeChannels: false } as const;
    const { selectLabels, mergeChannels } = allOptions(
      "LabelToMask",
      options,
      "selectLabels:sizes mergeChannels:boolean",
      defaults,
    );
    this.labels = typeof selectLabels === "number" ? [selectLabels] : selectLabels;
    this.mergeChannels = mergeChannels;
  }

  apply(x: HostArray): HostArray {
    expectArguments("LabelToMask", "array", { x });
    if (x.shape[0] <= 1) return { ...x, data: masked(x.data, new Set(this.labels)) };
    const size = sizeOf(x.shape.slice(1));
    const picked = this.labels.map((c) => {
      const at = c < 0 ? c + x.shape[0] : c;
      if (!(Number.isInteger(at) && at >= 0 && at < x.shape[0]))
        throw new ShapeError(`LabelToMask: shape [${x.shape.join(", ")}] has no channel ${c}`);
      return x.data.subarray(at * size, (at + 1) * size);
    });
    if (this.mergeChannels) return { ...x, data: anyOf(picked, size), shape: [1, ...x.shape.slice(1)] };
    const data = unfilledLike(x.data, picked.length * size);
    picked.forEach((part, i) => data.set(part, i * size));
    return { ...x, data, shape: [picked.length, ...x.shape.slice(1)] };
  }
}

function masked(data: TypedArray, labels: ReadonlySet<number>): Uint8Array {
  const out = new Uint8Array(data.length);
  for (const label of labels) inBlocks(data.length, (start, end) => markEqual(data, label, out, start, end));
  return out;
}

/** By numbers: on labels that change often a branch is guessed wrong. */
function markEqual(data: TypedArray, label: number, out: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) out[i] |= Number(data[i] === label);
}

function anyOf(channels: readonly TypedArray[], size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (const channel of channels) for (let i = 0; i < size; i++) if (channel[i] !== 0) out[i] = 1;
  return out;
}

/** What `MapLabelValue` puts for what. */
export interface MapLabelValueOptions {
  /** Values that are replaced. */
  readonly origLabels: readonly number[];
  /** As many as `origLabels`. */
  readonly targetLabels: readonly number[];
  /** Element type of the result. Default "float32". */
  readonly dtype?: DTypeName;
}

/**
 * Replaces values of a label map; others stay. MONAI's `MapLabelValue`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for lists of different lengths, and an unknown option or `dtype`
 */
export class MapLabelValue implements Transform {
  private readonly map: readonly (readonly [number, number])[];
  private readonly dtype: DTypeName;

  constructor(options: MapLabelValueOptions) {
    const defaults = { origLabels: required, targetLabels: required, dtype: "float32" } as const;
    const { origLabels, targetLabels, dtype } = allOptions(
      "MapLabelValue",
      options,
      "origLabels:numbers targetLabels:numbers dtype:text",
      defaults,
    );
    if (origLabels.length !== targetLabels.length) {
      throw new ConfigError(
        `MapLabelValue: origLabels has ${origLabels.length} values and targetLabels ${targetLabels.length}; they must be as many`,
      );
    }
    this.map = origLabels.map((label, i) => [label, targetLabels[i]]);
    this.dtype = dtype;
  }

  apply(x: HostArray): HostArray {
    expectArguments("MapLabelValue", "array", { x });
    const table = holdsIntegers(x.data) ? tableOf(this.map) : undefined;
    if (table) {
      const data = unfilledLike(
        castTo("MapLabelValue", { data: x.data.subarray(0, 0), shape: [0] }, this.dtype).data,
        x.data.length,
      );
      inBlocks(data.length, (start, end) => lookUp(x.data, table, data, start, end));
      return { ...x, data };
    }
    const cast = castTo("MapLabelValue", x, this.dtype);
    const data = cast.data === x.data ? copyOf(x.data) : cast.data;
    for (const [from, to] of this.map) {
      if (from !== to) for (let i = 0; i < data.length; i++) if (x.data[i] === from) data[i] = to;
    }
    return { ...x, data };
  }
}

/** What each integer from the least to the greatest replaced one becomes. */
interface LabelTable {
  readonly low: number;
  readonly values: Float64Array;
}

/** Undefined where labels lie far from each other. */
function tableOf(map: readonly (readonly [number, number])[]): LabelTable | undefined {
  const replaced = map.filter(([from, to]) => from !== to && Number.isInteger(from));
  const low = Math.min(...replaced.map(([from]) => from));
  const size = Math.max(...replaced.map(([from]) => from)) - low + 1;
  if (!(size >= 1 && size <= 4096)) return undefined;
  const values = Float64Array.from({ length: size }, (_, i) => low + i);
  for (const [from, to] of replaced) values[from - low] = to;
  return { low, values };
}

function lookUp(data: TypedArray, { low, values }: LabelTable, out: TypedArray, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const at = data[i] - low;
    out[i] = at >= 0 && at < values.length ? values[at] : data[i];
  }
}

/**
 * The three overlapping regions of the BraTS challenges as masks: tumor core (1, 4), whole tumor (1, 2, 4), enhancing tumor (4). MONAI's
 * `ConvertToMultiChannelBasedOnBratsClasses`.
 *
 * Shapes: `[1, x, y, z]` or an array without channel `[…]` → `[3, …]`.
 * Geometry: kept where there was a channel.
 */
export class ConvertToMultiChannelBasedOnBratsClasses implements Transform {
  apply(x: HostArray): HostArray {
    expectArguments("ConvertToMultiChannelBasedOnBratsClasses", "array", { x });
    const squeezed = x.shape.length === 4 && x.shape[0] === 1;
    const size = x.data.length;
    const data = new Uint8Array(3 * size);
    for (let i = 0; i < size; i++) {
      const v = x.data[i];
      data[i] = v === 1 || v === 4 ? 1 : 0;
      data[size + i] = v === 1 || v === 2 || v === 4 ? 1 : 0;
      data[2 * size + i] = v === 4 ? 1 : 0;
    }
    const shape = [3, ...(squeezed ? x.shape.slice(1) : x.shape)];
    return squeezed ? { ...x, data, shape } : { data, shape };
  }
}
