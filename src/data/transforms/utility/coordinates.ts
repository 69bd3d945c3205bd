/** @file Channels that say where a voxel is: `AddCoordinateChannels`, `AddExtremePointsChannel`. */
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { stridesOf } from "../../../host/shape.ts";
import { spatialShape } from "../../../host/strided.ts";
import { unfilledLike } from "../../../host/unfilled.ts";
import { linear, range } from "../intensity/arithmetic.ts";
import { gaussianSmooth } from "../intensity/smooth.ts";
import { RandomTransform, type Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** Appends channels in the element type of the image. */
function withChannels(x: HostArray, added: readonly ArrayLike<number>[]): HostArray {
  const data = unfilledLike(x.data, x.data.length + added.reduce((n, a) => n + a.length, 0));
  data.set(x.data);
  let at = x.data.length;
  for (const channel of added) {
    data.set(channel, at);
    at += channel.length;
  }
  return { ...x, data, shape: [x.shape[0] + added.length, ...x.shape.slice(1)] };
}

/**
 * Appends a channel with the place along each of the given spatial axes (0 = the first), from −0.5 to 0.5. MONAI's `AddCoordinateChannels`.
 *
 * Shapes: `[C, …]` → `[C + spatialDims, …]`.
 * Geometry: kept.
 * @throws ShapeError for axes that the image does not have, ConfigError without any and for an unknown option
 */
export class AddCoordinateChannels implements Transform {
  private readonly spatialDims: readonly number[];

  constructor(options: { readonly spatialDims: readonly number[] }) {
    this.spatialDims = allOptions("AddCoordinateChannels", options, "spatialDims:numbers", { spatialDims: required }).spatialDims;
    if (this.spatialDims.length === 0) throw new ConfigError("AddCoordinateChannels: spatialDims is empty; name an axis");
  }

  apply(x: HostArray): HostArray {
    const spatial = spatialShape("AddCoordinateChannels", x);
    if (this.spatialDims.some((d) => !(Number.isInteger(d) && d >= 0 && d < spatial.length))) {
      throw new ShapeError(
        `AddCoordinateChannels: spatialDims must be from 0 to ${spatial.length - 1}, got [${this.spatialDims.join(", ")}]`,
      );
    }
    const strides = stridesOf(spatial);
    return withChannels(
      x,
      this.spatialDims.map((d) => coordinates(x.data, sizeOf(spatial), spatial[d], strides[d])),
    );
  }
}

function coordinates(like: TypedArray, length: number, size: number, stride: number): TypedArray {
  const out = unfilledLike(like, length);
  const step = size > 1 ? 1 / (size - 1) : 0;
  // One period, then that again and again.
  for (let i = 0; i < size; i++) for (let k = 0; k < stride; k++) out[i * stride + k] = i * step - 0.5;
  for (let at = size * stride; at < length; at *= 2) out.copyWithin(at, 0, Math.min(at, length - at));
  return out;
}

/** The points of `AddExtremePointsChannel` and how they are drawn. */
export interface AddExtremePointsChannelOptions {
  /** Value of the label that is not the object. Default 0. */
  readonly background?: number;
  /** Random shift of the points, at most twice this, in voxels. Default 0. */
  readonly pert?: number;
  /** Standard deviation in voxels of the Gaussian around each point, one or per spatial axis. Default 3. */
  readonly sigma?: number | readonly number[];
  /** Least value of the channel. Default −1. */
  readonly rescaleMin?: number;
  /** Greatest value of the channel. Default 1. */
  readonly rescaleMax?: number;
  /** Entry of an item that holds the label map. Default "label". */
  readonly labelKey?: string;
}

/**
 * Appends a channel with a Gaussian at the outermost voxels of the label's object along each axis, as a user's clicks. After Roth et al., Going to
 * extremes (2020). As an array transform: `randomize(label)`, then `applyDrawn(image)`. MONAI's `AddExtremePointsChannel`.
 *
 * Shapes: `[C, …]` → `[C + 1, …]`; the label `[1, …]`.
 * Geometry: kept.
 * Draws: per axis for the first and the last place: `choice(voxels there, 1)`, then `rand()` for each coordinate.
 * @throws ShapeError for a label with several channels or of another size than the image, DataError for one without an object, ConfigError for an unknown
 *   option
 */
export class AddExtremePointsChannel extends RandomTransform {
  /** What was drawn last, in voxels. */
  points: number[][] = [];
  private readonly options: Required<AddExtremePointsChannelOptions>;

  constructor(options: AddExtremePointsChannelOptions = {}) {
    super();
    this.options = allOptions(
      "AddExtremePointsChannel",
      options,
      "background:number pert:number sigma:sizes rescaleMin:number rescaleMax:number labelKey:text",
      {
        background: 0,
        pert: 0,
        sigma: 3,
        rescaleMin: -1,
        rescaleMax: 1,
        labelKey: "label",
      },
    );
  }

  override randomizeItem(item: Readonly<Record<string, unknown>>): void {
    const label = item[this.options.labelKey] as HostArray | undefined;
    if (!label?.data) throw new DataError(`AddExtremePointsChannel: the item has no "${this.options.labelKey}"; set labelKey`);
    this.randomize(label);
  }

  randomize(label: HostArray): void {
    if (label.shape[0] !== 1)
      throw new ShapeError(`AddExtremePointsChannel: the label must have one channel, got shape [${label.shape.join(", ")}]`);
    const spatial = spatialShape("AddExtremePointsChannel", label);
    const object = indicesOf(label.data, this.options.background);
    if (object.length === 0) throw new DataError("AddExtremePointsChannel: the label holds no object, only background");
    const strides = stridesOf(spatial);
    const place = (flat: number, axis: number): number => Math.floor(flat / strides[axis]) % spatial[axis];
    this.points = spatial.flatMap((_, axis) => {
      const places = object.map((flat) => place(flat, axis));
      const { min, max } = range("AddExtremePointsChannel", places);
      return [min, max].map((end) => {
        const there = object.filter((_, i) => places[i] === end);
        const flat = there[this.random.choice(there.length, 1)[0]];
        return spatial.map((size, a) => {
          const moved = Math.trunc(place(flat, a) + 2 * this.options.pert * this.random.rand());
          return Math.min(Math.max(moved, 0), size - 1);
        });
      });
    });
  }

  applyDrawn(x: HostArray): HostArray {
    const { sigma, rescaleMin, rescaleMax } = this.options;
    const spatial = spatialShape("AddExtremePointsChannel", x);
    const strides = stridesOf(spatial);
    const map = { data: new Float32Array(sizeOf(spatial)), shape: [1, ...spatial] };
    for (const point of this.points) {
      if (point.length !== spatial.length || point.some((p, a) => p >= spatial[a]))
        throw new ShapeError(`AddExtremePointsChannel: an image of shape [${x.shape.join(", ")}] does not fit the label`);
      map.data[point.reduce((at, p, a) => at + p * strides[a], 0)] = 1;
    }
    const channel = gaussianSmooth("AddExtremePointsChannel", map, sigma, "erf");
    const { min, max } = range("AddExtremePointsChannel", channel);
    linear(channel, -min, max - min, rescaleMax - rescaleMin, rescaleMin);
    return withChannels(x, [channel]);
  }
}

function indicesOf(data: TypedArray, background: number): Int32Array {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== background) count++;
  const out = new Int32Array(count);
  for (let i = 0, at = 0; i < data.length; i++) if (data[i] !== background) out[at++] = i;
  return out;
}
