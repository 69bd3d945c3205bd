/**
 * @file What a TIFF's description says of its pages: which slice, channel and time each is, and how large voxels are. ImageJ's lines, OME's XML
 * (docs.openmicroscopy.org/ome-model), the JSON of tifffile. One that does not fit the pages is passed over with a note.
 */

import type { Fail } from "../../../host/bytes/budget.ts";
import type { SpaceUnit } from "../../volume.ts";
import { lengthUnit } from "../text_header.ts";

/** What the pages of a file are. */
export interface Roles {
  readonly slices: number;
  readonly channels: number;
  readonly times: number;
  /** The page of each plane: the slices of a channel follow each other, then the channels of a time. */
  readonly order: readonly number[];
  /** Sizes of a voxel in `units`, where they are known. */
  readonly spacing?: readonly [number, number, number];
  readonly units?: SpaceUnit;
  /** Seconds between times, where channels are nothing else. */
  readonly timeStep?: number;
  readonly note?: string;
}

/** What the directory of the first page says beside its pixels. */
export interface Described {
  readonly description: string;
  /** Pixels to a unit of length along x and y; 0 where there is no number. */
  readonly resolution: readonly [number, number];
  /** Samples of a pixel. */
  readonly samples: number;
}

/** The channels that ImageJ shows of an image. */
const mostChannels = 7;

type Sizes = Readonly<Record<"C" | "Z" | "T", number>>;

const count = (text: string | undefined): number => Math.max(1, Math.floor(Number(text ?? 1)) || 1);

/** ImageJ's lines and tifffile's JSON are short: of a text that is longer no more letters are looked at. */
const longest = 1 << 18;

/** The lines of ImageJ; undefined for another description. */
function imageJ(description: string): ReadonlyMap<string, string> | undefined {
  if (!description.startsWith("ImageJ=")) return undefined;
  const lines = description
    .slice(0, longest)
    .split(/\r?\n/)
    .map((line) => /^(\w+)=(.*)$/.exec(line));
  return new Map(lines.flatMap((found) => (found ? [[found[1], found[2].trim()] as const] : [])));
}

/** The JSON of tifffile; undefined for another description. */
function shaped(description: string): { shape: number[]; axes: string; truncated: boolean } | undefined {
  if (description.length > longest || !/^\s*\{\s*"/.test(description)) return undefined;
  try {
    const { shape, axes, truncated } = JSON.parse(description) as Readonly<Record<string, unknown>>;
    if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) return undefined;
    return { shape: shape as number[], axes: typeof axes === "string" ? axes : "", truncated: truncated === true };
  } catch {
    return undefined;
  }
}

/** How many planes lie behind each other where there is a directory for the first alone: ImageJ and tifffile may leave out those of the others. */
export function planesOfOnePage({ description, samples }: Described): number {
  const json = shaped(description);
  if (json) return json.truncated ? json.shape.slice(0, samples > 1 ? -3 : -2).reduce((n, s) => n * s, 1) : 1;
  return count(imageJ(description)?.get("images"));
}

/** The pages as slices of one channel. */
const plain = (pages: number, note?: string): Roles => ({
  slices: pages,
  channels: 1,
  times: 1,
  order: Array.from({ length: pages }, (_, i) => i),
  ...(note && { note }),
});

/** What the `pages` of a file are. @throws FormatError (by `fail`) for several images in one file */
export function rolesOf(described: Described, pages: number, fail: Fail): Roles {
  const { description, samples } = described;
  const lines = imageJ(description);
  if (lines) return rolesOfImageJ(lines, described, pages);
  if (/^\s{0,99}<(\?xml|!--|(\w{1,40}:)?OME\b)/.test(description) && /<(\w{1,40}:)?Pixels\b/.test(description))
    return rolesOfOme(described, pages, fail);
  const { axes = "", shape = [] } = shaped(description) ?? {};
  const names = [...axes.replace(/YXS?$/, "")];
  if (names.length === 0 || new Set(names).size < names.length || !names.every((a) => "CZT".includes(a))) return plain(pages);
  const size = (a: string) => (names.includes(a) ? shape[names.indexOf(a)] : 1);
  const order = names.toReversed().join("") + ["C", "Z", "T"].filter((a) => !names.includes(a)).join("");
  return arranged({ C: besideSamples(size("C"), samples), Z: size("Z"), T: size("T") }, order, pages, "its description");
}

/** The channels that have pages, where samples of a pixel count as channels. */
const besideSamples = (channels: number, samples: number): number => (channels % samples === 0 ? channels / samples : channels);

/** Pages in an order of axes, the fastest first. */
function arranged(
  sizes: Sizes,
  axes: string,
  pages: number,
  whose: string,
  pageOf = (i: number): number | undefined => i,
): Roles {
  const { C, Z, T } = sizes;
  const told = `${C} channels × ${Z} slices × ${T} times`;
  const unfit = `${whose} tells of ${told}, which these ${pages} pages are not; they are taken for slices`;
  if (C * Z * T !== pages) return plain(pages, unfit);
  const order = Array.from({ length: pages }, () => -1);
  for (let i = 0; i < pages; i++) {
    let rest = i;
    const at = { C: 0, Z: 0, T: 0 };
    for (const axis of axes as Iterable<"C" | "Z" | "T">) {
      at[axis] = rest % sizes[axis];
      rest = Math.floor(rest / sizes[axis]);
    }
    order[(at.T * C + at.C) * Z + at.Z] = pageOf(i) ?? -1;
  }
  if (!order.every((page) => Number.isInteger(page) && page >= 0 && page < pages) || new Set(order).size < pages)
    return plain(pages, unfit);
  const note = C * T > 1 ? `the pages are ${told}, as ${whose} says; channels and times are channels` : undefined;
  return { slices: Z, channels: C, times: T, order, ...(note && { note }) };
}

/** Sizes of voxels in the unit of x, where all are numbers with units. */
function voxel(sides: readonly (readonly [size: number, unit: string])[]): Pick<Roles, "spacing" | "units"> {
  const inMm = { mm: 1, um: 1e-3, m: 1e3, unknown: NaN };
  const { unit } = lengthUnit(sides[0][1]);
  const spacing = sides.map(([size, word]) => {
    const own = lengthUnit(word);
    return Math.abs(size) * own.scale * (own.unit === unit ? 1 : inMm[own.unit] / inMm[unit]);
  });
  if (unit === "unknown" || !spacing.every((s) => s > 0 && Number.isFinite(s))) return {};
  return { spacing: spacing as [number, number, number], units: unit };
}

function rolesOfImageJ(lines: ReadonlyMap<string, string>, { resolution }: Described, pages: number): Roles {
  const [C, Z, T] = ["channels", "slices", "frames"].map((name) => count(lines.get(name)));
  // tifffile writes an array of three axes so, if nobody tells it that the first is of slices.
  const slices = C === pages && pages > mostChannels;
  const roles = slices
    ? plain(
        pages,
        `ImageJ's description tells of ${C} channels, of which it knows no more than ${mostChannels}; they are taken for slices`,
      )
    : C * Z * T === 1
      ? plain(pages)
      : arranged({ C, Z, T }, "CZT", pages, "ImageJ's description");
  // ImageJ writes letters that are not ASCII by their numbers.
  const unit = (lines.get("unit") ?? "").replace(/\\u00B5/i, "µ");
  const [x, y] = resolution;
  const interval = Number(lines.get("finterval"));
  return {
    ...roles,
    ...voxel([[1 / x, unit], [1 / y, unit], [Number(lines.get("spacing") ?? 1), unit]]), // oxfmt-ignore
    ...(roles.times > 1 &&
      roles.channels === 1 &&
      interval > 0 &&
      (lines.get("tunit") ?? "s").startsWith("s") && { timeStep: interval }),
  };
}

type Attributes = Readonly<Record<string, string | undefined>>;

/** The attributes of the elements of a name, of no more than so many. The expressions end early on any text, so that the time goes with its length. */
function elementsOf(xml: string, name: string, most: number): Attributes[] {
  const found: Attributes[] = [];
  for (const [, text] of xml.matchAll(new RegExp(`<(?:\\w{1,40}:)?${name}\\b([^<>]{0,4000})>`, "g"))) {
    const attributes = text.matchAll(/(?<![\w:])([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
    found.push(Object.fromEntries([...attributes].map(([, key, a, b]) => [key, a ?? b])));
    if (found.length === most) break;
  }
  return found;
}

const seconds: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, min: 60, h: 3600 };

function rolesOfOme({ description, samples }: Described, pages: number, fail: Fail): Roles {
  const whose = "OME's description";
  const images = elementsOf(description, "Pixels", pages + 1);
  const sizesOf = (p: Attributes): Sizes => ({
    C: besideSamples(count(p.SizeC), samples),
    Z: count(p.SizeZ),
    T: count(p.SizeT),
  });
  if (images.length > 1) {
    const all = images.map(sizesOf).reduce((n, { C, Z, T }) => n + C * Z * T, 0);
    if (all === pages) throw fail(`has ${images.length} images by ${whose}; save them as files of their own`);
    return plain(
      pages,
      `${whose} tells of ${images.length} images in other files too; the pages of this one are taken for slices`,
    );
  }
  const [pixels] = images;
  if (!pixels) return plain(pages, `${whose} is damaged; the pages are taken for slices`);
  const sizes = sizesOf(pixels);
  const axes = (pixels.DimensionOrder ?? "").replace(/^XY/, "");
  if (![..."CZT"].every((a) => axes.includes(a)) || axes.length !== 3) return plain(pages, `${whose} has no order of axes`);
  const roles = arranged(sizes, axes, pages, whose, pagesOfOme(description, sizes, axes, samples, pages));
  const unit = (axis: string) => (pixels[`PhysicalSize${axis}Unit`] ?? "µm").replace(/&(#181|#xb5|micro);/i, "µ");
  const side = (axis: string, otherwise: number) => [Number(pixels[`PhysicalSize${axis}`] ?? otherwise), unit(axis)] as const;
  const step = Number(pixels.TimeIncrement) * (seconds[pixels.TimeIncrementUnit ?? "s"] ?? NaN);
  const flat: readonly [number, string] = [1, unit("X")];
  return {
    ...roles,
    ...voxel([side("X", NaN), side("Y", NaN), pixels.PhysicalSizeZ === undefined ? flat : side("Z", 1)]),
    ...(roles.times > 1 && roles.channels === 1 && step > 0 && { timeStep: step }),
  };
}

/** Which page a plane is in, by its number in the order of axes: as the elements TiffData say, of which one without numbers stands for all. */
function pagesOfOme(xml: string, sizes: Sizes, axes: string, samples: number, pages: number): (i: number) => number | undefined {
  const data = elementsOf(xml, "TiffData", pages + 1);
  if (data.length === 0) return (i) => i;
  if (data.length > pages) return () => undefined;
  const found: number[] = [];
  let left = pages;
  for (const { IFD, PlaneCount, ...first } of data) {
    let [start, step] = [0, 1];
    for (const axis of axes as Iterable<"C" | "Z" | "T">) {
      const at = Number(first[`First${axis}`] ?? 0);
      start += step * (axis === "C" && sizes.C > 1 ? Math.floor(at / samples) : axis === "C" ? 0 : at);
      step *= sizes[axis];
    }
    const planes = PlaneCount === undefined ? (IFD === undefined ? pages : 1) : Number(PlaneCount);
    for (let i = 0; i < Math.min(planes, pages); i++) {
      if (found[start + i] !== undefined || --left < 0) return () => undefined;
      found[start + i] = Number(IFD ?? 0) + i;
    }
  }
  return (i) => found[i];
}
