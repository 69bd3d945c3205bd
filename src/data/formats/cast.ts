/** @file What a volume is written as: the element type, and values that it can hold. */

import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { TypedArray } from "../../host/array.ts";
import { elements, elementsBy, integerRange, nativeNames, nativeOf, type NativeName } from "../../host/elements.ts";
import { expectFull } from "../../host/kinds.ts";
import type { Volume } from "../volume.ts";

/** The element type of an array. */
export function typeOf(op: string, data: TypedArray): NativeName {
  const dtype = nativeOf(data);
  if (!dtype) throw new ConfigError(`${op}: cannot write a ${Object.prototype.toString.call(data)}; convert it to Float32Array`);
  return dtype;
}

const byNumpy = elementsBy("numpy");

/** The element type that is called `dtype` here, "u8", or in NumPy, "uint8". @throws ConfigError for what is none that arrays have */
export function typeNamed(op: string, dtype: string): NativeName {
  const found = nativeNames.find((name) => name === dtype || name === byNumpy.get(dtype));
  if (found) return found;
  throw new ConfigError(
    `${op}: dtype is ${JSON.stringify(dtype)}; expected one of ${nativeNames.join(", ")}, or what NumPy calls them`,
  );
}

/** @throws ShapeError for a volume of another rank than [C, nx, ny, nz], or whose data are not as many as its shape says */
export function expectVolume(op: string, volume: Volume): void {
  if (volume.shape.length !== 4)
    throw new ShapeError(`${op}: the volume has shape [${volume.shape.join(", ")}]; expected [C, nx, ny, nz]`);
  expectFull(op, "the volume", volume);
}

/**
 * The same values as another element type.
 * @throws DataError if the type cannot hold a value: an integer type a fraction, NaN or what is out of range; floats of 32 bits what is out of range, or an
 *   integer of an integer type that they would round. ConfigError for a type that is none
 */
export function castTo(op: string, data: TypedArray, dtype: string): TypedArray {
  const name = typeNamed(op, dtype);
  const { array } = elements[name];
  if (data instanceof array) return data;
  const range = integerRange(name);
  const out = new array(data.length);
  const whole = elements[typeOf(op, data)].kind !== "float";
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (range && !(Number.isInteger(v) && v >= range[0] && v <= range[1])) {
      throw new DataError(
        `${op}: element ${i} is ${v}, which ${dtype} (integers ${range[0]} to ${range[1]}) cannot hold; choose another dtype or round first`,
      );
    }
    out[i] = v;
    if (!range && out[i] !== v && (whole || (Number.isFinite(v) && !Number.isFinite(out[i]))))
      throw new DataError(`${op}: element ${i} is ${v}, which ${dtype} would make ${out[i]}; choose another dtype`);
  }
  return out;
}

/** The data of a volume as the type of a file, where the format has only some. @throws ConfigError naming them, DataError as castTo */
export function dataAs(title: string, volume: Volume, dtype: string | undefined, has: readonly NativeName[]): TypedArray {
  const op = "writeImage";
  expectVolume(op, volume);
  const wanted = dtype ?? typeOf(op, volume.data);
  if (!has.includes(wanted as NativeName)) {
    throw new ConfigError(`${op}: ${title} cannot hold ${wanted}; give dtype: one of ${has.join(", ")}`);
  }
  return castTo(op, volume.data, wanted);
}

/**
 * Whether a file of a format that is packed as a whole is to be so: as its name says, by which other programs go.
 * @throws ConfigError where an option says otherwise
 */
export function packedByName(name: string, compress: boolean | undefined, endings = /\.gz$/i): boolean {
  const packed = endings.test(name);
  if (compress !== undefined && compress !== packed)
    throw new ConfigError(
      `writeImage: ${name} is by its ending ${packed ? "" : "not "}packed, and compress is ${compress}; other programs could not read it: choose the other ending or leave compress out`,
    );
  return packed;
}
