/** @file The words of the page in the language that is chosen: the browser's at first, then the user's. */

import { computed, signal } from "@preact/signals";
import { en, type TextKey, type Texts } from "./en.ts";
import { zh } from "./zh.ts";

export const languages = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof languages;

const tables: Readonly<Record<Language, Texts>> = { en, zh };
const key = "voxgrad.language";

function first(): Language {
  const kept = localStorage.getItem(key);
  if (kept !== null && Object.hasOwn(languages, kept)) return kept as Language;
  return navigator.languages.map((l) => l.slice(0, 2)).find((l): l is Language => Object.hasOwn(languages, l)) ?? "en";
}

export const language = signal<Language>(first());

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(key, chosen);
  language.value = chosen;
}

const table = computed(() => tables[language.value]);

/** A text with its `{gaps}` filled. */
export function t(name: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return table.value[name].replace(/\{(\w+)\}/g, (gap, word: string) => String(values[word] ?? gap));
}

const format = (value: number, digits: number): string =>
  value.toLocaleString(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A number with about three digits. */
export function shownNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  return format(value, size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Dice and the like; a dash for what is not defined. */
export const shownScore = (value: number | null | undefined): string =>
  value === null || value === undefined || Number.isNaN(value) ? "–" : format(value, 3);

export function shownBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${format(bytes / 2 ** (10 * power), power > 1 ? 1 : 0)} ${units[power]}`;
}

/** 0:42, 3:05, 1:02:03. */
export function shownTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
