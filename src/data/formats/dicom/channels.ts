/**
 * @file Several slices at each place: times, echoes, b-values, in and out of phase. They become channels if one attribute tells them apart, or two
 * together do, with a slice of each value at every place; else if their numbers do. Anything else is an error.
 */

import { DataError } from "../../../host/errors.ts";
import type { Slice } from "./slice.ts";

/** Of those below, the ones that differ where nothing but time does. */
const ofTime = new Set([
  "temporalPosition",
  "temporalPositionIndex",
  "triggerTime",
  "acquisitionNumber",
  "acquisitionTime",
  "contentTime",
]);

/** Attributes that make channels, the most telling first. */
const candidates = [
  "segment",
  "diffusionBValue",
  "gradientOrientation",
  "temporalPosition",
  "temporalPositionIndex",
  "echoTime",
  "effectiveEchoTime",
  "echoNumbers",
  "triggerTime",
  "imageType",
  "acquisitionNumber",
  "acquisitionTime",
  "contentTime",
];

/**
 * Slices by channel, then place.
 * @param places slices at one place each, in order
 * @param notes gets what tells the channels apart
 * @throws DataError if some places have more slices than others, or nothing tells them apart
 */
export function splitChannels(places: readonly (readonly Slice[])[], who: string, notes: string[]): Slice[][] {
  const count = places[0].length;
  if (places.every((p) => p.length === 1)) return [places.map(([s]) => s)];
  const odd = places.find((p) => p.length !== count);
  if (odd) {
    const counts = [...new Set(places.map((p) => p.length))].sort((a, b) => a - b);
    const double = places.find((p) => p.length > 1) ?? odd;
    throw new DataError(
      `${who}: its ${places.length} places have ${counts.join(" or ")} slices, such as ${double.map((s) => s.header.name).join(" and ")} at one place; ` +
        "leave the doubled slices out, or complete the series",
    );
  }
  const varying = candidates.filter((key) => new Set(places[0].map((s) => s.facts.marks[key])).size > 1);
  const sets = [...varying.map((key) => [key]), ...varying.flatMap((a, i) => varying.slice(i + 1).map((b) => [a, b]))];
  for (const keys of sets) {
    const channels = byMarks(places, keys);
    if (!channels) continue;
    const values = channels.map(([s]) => keys.map((key) => s.facts.marks[key]).join(", "));
    notes.push(`${count} slices at each place became channels, by ${keys.join(" and ")}: ${values.join("; ")}`);
    return channels;
  }
  return byNumber(places, who, notes);
}

/** Whether channels are times one after the other: nothing else tells them apart, and their files are numbered without a gap. */
export function areTimes(channels: readonly (readonly Slice[])[]): boolean {
  const firsts = channels.map(([s]) => s.facts);
  const numbers = firsts.map(({ instance }) => instance ?? NaN);
  const step = numbers[1] - numbers[0];
  return (
    candidates.every((key) => ofTime.has(key) || new Set(firsts.map(({ marks }) => marks[key])).size === 1) &&
    numbers.every((n, i) => i === 0 || n - numbers[i - 1] === step)
  );
}

/** One channel for each value of the attributes, if every place has each value once. */
function byMarks(places: readonly (readonly Slice[])[], keys: readonly string[]): Slice[][] | undefined {
  const text = (s: Slice): string => JSON.stringify(keys.map((key) => s.facts.marks[key]));
  const sorted = places[0].toSorted((a, b) => compareMarks(a, b, keys));
  const channelOf = new Map(sorted.map((s, i) => [text(s), i]));
  if (channelOf.size < sorted.length) return undefined;
  const channels: Slice[][] = sorted.map(() => []);
  for (const [i, place] of places.entries()) {
    for (const slice of place) {
      const channel = channels[channelOf.get(text(slice)) ?? -1] as Slice[] | undefined;
      if (!channel || channel.length !== i) return undefined;
      channel.push(slice);
    }
  }
  return channels;
}

function compareMarks(a: Slice, b: Slice, keys: readonly string[]): number {
  for (const key of keys) {
    const [x, y] = [a.facts.marks[key], b.facts.marks[key]];
    if (x === y) continue;
    if (typeof x === "number" && typeof y === "number") return x - y;
    return String(x) < String(y) ? -1 : 1;
  }
  return 0;
}

/** By the order in which they were numbered. */
function byNumber(places: readonly (readonly Slice[])[], who: string, notes: string[]): Slice[][] {
  const ahead = (a: Slice, b: Slice): number =>
    a.header === b.header ? a.frame - b.frame : (a.facts.instance ?? NaN) - (b.facts.instance ?? NaN);
  const sorted = places.map((place) => place.toSorted(ahead));
  const clear = sorted.every((place) => place.every((s, i) => i === 0 || ahead(place[i - 1], s) < 0));
  if (!clear) {
    const [a, b] = sorted[0];
    throw new DataError(
      `${who}: nothing tells the ${sorted[0].length} slices at one place apart, such as ${a.header.name} and ${b.header.name}; leave doubled slices out`,
    );
  }
  notes.push(`${sorted[0].length} slices at each place became channels, in the order of their numbers`);
  return sorted[0].map((_, channel) => sorted.map((place) => place[channel]));
}
