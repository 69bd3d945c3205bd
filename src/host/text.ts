/** @file Numbers as people read them. Shapes are written by `showShape`. */

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes as 512 B, 1.5 KiB, 20.0 MiB … */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** Bytes of text such as "512MiB", "1.5 GiB", "2g" or a plain number; undefined for anything else. Units are powers of 1024, with or without "i" and "B". */
export function parseBytes(text: string): number | undefined {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Math.floor(Number(number) * 1024 ** ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase()));
}

/** Seconds as 0:07, 12:34 or 1:02:03; "?" for what is not finite. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const s = Math.max(0, Math.round(seconds));
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  const pad = (v: number): string => String(v).padStart(2, "0");
  return h > 0 ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

/** A count with its thousands apart: 1,234,567. */
export const formatCount = (n: number): string => n.toLocaleString("en");

/** So many of something: 1 window, 2 windows, 1,234 passes. */
export const counted = (n: number, one: string, many: string = `${one}s`): string => `${formatCount(n)} ${n === 1 ? one : many}`;

/** A rate with two digits, or as a whole number from 100: 0.52, 3.1, 27, 312. */
export const formatRate = (rate: number): string => (rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2));

/** Names of other libraries in ours: snake_case to camelCase. */
export const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
