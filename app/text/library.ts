/** @file The library's own words for recipes, options and errors in the language of the page, as far as that has words for them. */

import { language } from "./text.ts";
import { inChinese } from "./zh_errors.ts";
import { zhOptions } from "./zh_options.ts";

export const told = (words: string): string => (language.value === "zh" ? (zhOptions[words] ?? words) : words);

/** The detail of an error in the language of the page; undefined where that is English already, or has no words for it. */
export const toldError = (message: string): string | undefined => (language.value === "zh" ? inChinese(message) : undefined);
