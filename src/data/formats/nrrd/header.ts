/** @file NRRD headers (teem.sourceforge.net/nrrd/format.html): fields, and what they say of axes, geometry and data files. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { namesOfPattern } from "../data_files.ts";
import { lengthUnit, lps, numbersIn, rasAffine, sizesIn, type SpaceSigns } from "../text_header.ts";
import type { Affine, SpaceUnit } from "../../volume.ts";
import type { StoredType } from "../voxel_block.ts";

/** What a header says, checked. */
export interface NrrdHeader {
  readonly fields: Readonly<Record<string, string>>;
  readonly dtype: StoredType;
  readonly littleEndian: boolean;
  readonly encoding: "raw" | "gzip" | "bzip2" | "text" | "hex";
  readonly sizes: readonly number[];
  /** The axes of the file that are x, y, z; others are channels. */
  readonly spatial: readonly number[];
  readonly affine: Affine;
  readonly units: SpaceUnit;
  /** Seconds between channels that are times. */
  readonly timeStep?: number;
  readonly lineSkip: number;
  readonly byteSkip: number;
  /** Names of data files; undefined where the data follow the header. */
  readonly dataFiles?: readonly string[];
  /** Whether there are no space directions, see VolumeMeta. */
  readonly unplaced: boolean;
  readonly notes: readonly string[];
}

// oxfmt-ignore
const types: Readonly<Record<string, StoredType>> = {
  "signed char": "i8", int8: "i8", int8_t: "i8", uchar: "u8", "unsigned char": "u8", uint8: "u8", uint8_t: "u8",
  short: "i16", "short int": "i16", "signed short": "i16", "signed short int": "i16", int16: "i16", int16_t: "i16",
  ushort: "u16", "unsigned short": "u16", "unsigned short int": "u16", uint16: "u16", uint16_t: "u16",
  int: "i32", "signed int": "i32", int32: "i32", int32_t: "i32", uint: "u32", "unsigned int": "u32", uint32: "u32", uint32_t: "u32",
  longlong: "i64", "long long": "i64", "long long int": "i64", "signed long long": "i64", "signed long long int": "i64", int64: "i64", int64_t: "i64",
  ulonglong: "u64", "unsigned long long": "u64", "unsigned long long int": "u64", uint64: "u64", uint64_t: "u64",
  float: "f32", double: "f64",
};
const encodings: Readonly<Record<string, NrrdHeader["encoding"]>> = {
  raw: "raw",
  gzip: "gzip",
  gz: "gzip",
  bzip2: "bzip2",
  bz2: "bzip2",
  ascii: "text",
  text: "text",
  txt: "text",
  hex: "hex",
};

/** Which way the axes of a space go; those that are not of a patient are taken for ITK's. */
function signsOf(space: string): SpaceSigns {
  const words = space.split("-");
  const short = words.length === 1 ? [...space] : words.map((w) => w[0]);
  if (!/^[rl]/.test(short[0]) || !/^[ap]/.test(short[1] ?? "")) return lps;
  return [short[0] === "r" ? 1 : -1, short[1] === "a" ? 1 : -1, short[2] === "i" ? -1 : 1];
}

/** Names that teem takes for others, without spaces. */
const names: Readonly<Record<string, string>> = {
  datafile: "data file",
  lineskip: "line skip",
  byteskip: "byte skip",
  axismins: "axis mins",
  axismaxs: "axis maxs",
  centers: "centerings",
};

/** Fields of the header by name in lower case, key/value pairs as `key:=`, and the lines behind `data file: LIST`. */
function fieldsOf(text: string, fail: Fail): { fields: Record<string, string>; list: string[] } {
  const [first, ...lines] = text.split(/\r?\n/);
  if (!/^NRRD00(0\d|\.01)/.test(first))
    throw fail(`the first line is ${JSON.stringify(first.slice(0, 20))}; expected NRRD0001 to NRRD0005`);
  const fields: Record<string, string> = Object.create(null);
  for (const [i, line] of lines.entries()) {
    if (line.startsWith("#") || line.trim() === "") continue;
    const pair = /^([^:]+?)\s*:=(.*)$/.exec(line);
    const field = /^([^:]+?)\s*:\s+(.*)$|^([^:]+?):$/.exec(line) ?? /^([^:]+?)\s*:(.*)$/.exec(line);
    if (pair) fields[`${pair[1]}:=`] = pair[2].trim();
    else if (field) {
      const name = (field[1] ?? field[3]).trim().toLowerCase();
      fields[names[name] ?? name] = (field[2] ?? "").trim();
      if (/^data ?file$/.test(name) && /^LIST\b/.test(field[2] ?? "")) {
        return {
          fields,
          list: lines
            .slice(i + 1)
            .map((l) => l.trim())
            .filter((l) => l !== "" && !l.startsWith("#")),
        };
      }
    } else throw fail(`line ${i + 2} is ${JSON.stringify(line.slice(0, 60))}; expected "field: value"`);
  }
  return { fields, list: [] };
}

/** Vectors such as `(1,0,0) none (0,1,0)`. */
function vectorsIn(text: string, field: string, fail: Fail): (number[] | undefined)[] {
  return [...text.matchAll(/\(([^)]*)\)|none|\S+/g)].map(([word, inner]) => {
    if (word === "none") return undefined;
    if (inner === undefined) throw fail(`${field} has ${JSON.stringify(word.slice(0, 40))}; expected vectors such as (1,0,0)`);
    const vector = numbersIn(inner, field, fail);
    // Some writers have no other word for an axis without a direction.
    return vector.every(Number.isNaN) ? undefined : vector;
  });
}

/** Parses and checks the text of a header. @throws FormatError (by `fail`) naming the field */
export function parseNrrdHeader(text: string, fail: Fail): NrrdHeader {
  const { fields, list } = fieldsOf(text, fail);
  const field = (name: string): string => {
    if (fields[name] === undefined) throw fail(`${name} is missing`);
    return fields[name];
  };
  const notes: string[] = [];
  const dtype = types[field("type").toLowerCase()];
  if (!dtype) throw fail(`type is ${JSON.stringify(fields.type)}; expected a type of integers or floats of 8 to 64 bits`);
  const encoding = encodings[field("encoding").toLowerCase()];
  if (!encoding) {
    throw fail(`encoding is ${JSON.stringify(fields.encoding)}; expected raw, gzip, bzip2, ascii or hex`);
  }
  const [dimension] = numbersIn(field("dimension"), "dimension", fail, 1);
  if (!(Number.isInteger(dimension) && dimension >= 1 && dimension <= 16))
    throw fail(`dimension is ${dimension}; expected 1 to 16`);
  const sizes = sizesIn(field("sizes"), "sizes", fail, dimension);
  const endian = fields.endian?.toLowerCase();
  const wide = !["i8", "u8"].includes(dtype) && encoding !== "text";
  if (wide && endian !== "little" && endian !== "big") {
    throw fail(`endian is ${endian === undefined ? "missing" : JSON.stringify(endian)}; expected little or big for ${dtype}`);
  }
  const skip = (name: string, least: number): number => {
    const [n] = numbersIn(fields[name] ?? "0", name, fail, 1);
    if (!(Number.isSafeInteger(n) && n >= least)) throw fail(`${name} is ${n}; expected an integer of ${least} or more`);
    return n;
  };
  const geometry = geometryOf(fields, sizes, notes, fail);
  const timeStep = timeStepOf(fields, sizes, geometry.spatial, fail);
  const dataFiles = dataFilesOf(fields["data file"], list, fail);
  return {
    fields: { ...fields },
    dtype,
    littleEndian: endian !== "big",
    encoding,
    sizes,
    ...geometry,
    ...(timeStep !== undefined && { timeStep }),
    lineSkip: skip("line skip", 0),
    byteSkip: skip("byte skip", -1),
    ...(dataFiles && { dataFiles }),
    notes,
  };
}

function dataFilesOf(value: string | undefined, list: readonly string[], fail: Fail): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (/^LIST\b/.test(value)) {
    if (list.length === 0) throw fail("data file is LIST, but no file is listed");
    return list;
  }
  const words = value.split(/\s+/);
  if (/%\d*[diu]/.test(value) && words.length >= 4) {
    const pattern = /^(.*?)((\s+-?\d+){3,4})$/.exec(value);
    const [first, last, step] = numbersIn(pattern?.[2] ?? "", "data file", fail);
    return namesOfPattern(pattern?.[1] ?? value, first, last, step, fail);
  }
  return [value];
}

const list = (text: string): string[] => text.match(/"[^"]*"|\S+/g)?.map((w) => w.replaceAll('"', "")) ?? [];
const channelKinds = /vector|list|point|color|normal|gradient|matrix|quaternion|complex|time|stub|scalar|^\d/i;

function geometryOf(
  fields: Readonly<Record<string, string>>,
  sizes: readonly number[],
  notes: string[],
  fail: Fail,
): { spatial: number[]; affine: Affine; units: SpaceUnit; unplaced: boolean } {
  const count = sizes.length;
  const perAxis = <T>(name: string, values: T[]): T[] => {
    if (values.length !== count) throw fail(`${name} has ${values.length} entries; expected ${count}, one for each axis`);
    return values;
  };
  const directions =
    fields["space directions"] === undefined
      ? undefined
      : perAxis("space directions", vectorsIn(fields["space directions"], "space directions", fail));
  const kinds = fields.kinds === undefined ? undefined : perAxis("kinds", list(fields.kinds));
  const isTime = (a: number): boolean =>
    /time/i.test(kinds?.[a] ?? "") || (directions?.[a]?.findIndex((v) => v !== 0) ?? -1) >= 3;
  const isSpatial = (a: number): boolean =>
    directions ? directions[a] !== undefined && !isTime(a) : !(kinds && channelKinds.test(kinds[a]));
  const spatial = sizes
    .map((_, a) => a)
    .filter(isSpatial)
    .slice(0, 3);
  // Those of the space have one for each of its axes, of which a fourth is time, others one for each of the file's.
  const ofSpace = list(fields["space units"] ?? "").slice(0, 3);
  const ofAxes = list(fields.units ?? "");
  const [first, ...others] = (ofSpace.length > 0 ? ofSpace : spatial.map((a) => ofAxes[a])).filter(Boolean);
  const { unit: units, scale } = lengthUnit(first);
  const other = others.find((unit) => lengthUnit(unit).unit !== units || lengthUnit(unit).scale !== scale);
  if (other)
    throw fail(
      `lengths are in ${JSON.stringify(first)} along one axis and in ${JSON.stringify(other)} along another; give all one unit`,
    );
  const scaled = (vector: readonly number[]): number[] => vector.map((v) => v * scale);
  const space = (fields.space ?? "").toLowerCase();
  const [spaceOrigin] = fields["space origin"] === undefined ? [] : vectorsIn(fields["space origin"], "space origin", fail);
  if (directions) {
    if (space === "") notes.push("the space of the directions is not named; left-posterior-superior is assumed, as ITK does");
    const columns = spatial.map((a) => scaled(directions[a]!));
    return {
      spatial,
      affine: rasAffine(columns, scaled(spaceOrigin ?? []), signsOf(space), "space directions", fail),
      units,
      unplaced: false,
    };
  }
  notes.push("there are no space directions: the orientation is a guess, and left-posterior-superior as with ITK");
  const numbers = (name: string) =>
    fields[name] === undefined ? sizes.map(() => NaN) : perAxis(name, numbersIn(fields[name], name, fail));
  const [spacings, least, most] = [numbers("spacings"), numbers("axis mins"), numbers("axis maxs")];
  const centers = perAxis("centerings", list(fields.centerings ?? sizes.map(() => "???").join(" ")));
  const axes = spatial.map((a) => {
    // The ends of an axis are those of its cells, unless its samples are said to be nodes, and then the first and the last of them.
    const node = centers[a] === "node";
    const given = [spacings[a], (most[a] - least[a]) / (node ? sizes[a] - 1 : sizes[a]), 1];
    const step = given.find((s) => Number.isFinite(s) && s !== 0) ?? 1;
    const first = least[a] + (node ? 0 : step / 2);
    return { step, first: Number.isFinite(first) ? first : 0 };
  });
  const columns = axes.map(({ step }, i) => [0, 1, 2].map((r) => (r === i ? step * scale : 0)));
  // A place in a space is one without directions too.
  const signs = signsOf(space);
  const origin = scaled(spaceOrigin?.map((v, r) => (signs[r] === lps[r] ? v : -v)) ?? axes.map(({ first }) => first));
  return { spatial, affine: rasAffine(columns, origin, lps, "spacings", fail), units, unplaced: true };
}

const perSecond: ReadonlyMap<string, number> = new Map(
  Object.entries({ s: 1, sec: 1, second: 1, seconds: 1, ms: 1e3, msec: 1e3, us: 1e6, µs: 1e6 }),
);

/**
 * How far apart the channels are in time, in seconds: the spacing of their axis, or its direction in a space that has time, where the unit is one of time.
 * Undefined for several axes of channels.
 */
function timeStepOf(
  fields: Readonly<Record<string, string>>,
  sizes: readonly number[],
  spatial: readonly number[],
  fail: Fail,
): number | undefined {
  const [axis, more] = sizes.flatMap((n, a) => (n > 1 && !spatial.includes(a) ? [a] : []));
  if (axis === undefined || more !== undefined) return undefined;
  const unit = perSecond.get(list(fields.units ?? "")[axis] ?? "");
  const spacing = Number(list(fields.spacings ?? "")[axis]);
  if (unit && spacing > 0) return spacing / unit;
  const direction = vectorsIn(fields["space directions"] ?? "", "space directions", fail)[axis];
  const spaceUnit = perSecond.get(list(fields["space units"] ?? "")[3] ?? "");
  return spaceUnit && direction && direction[3] > 0 ? direction[3] / spaceUnit : undefined;
}
