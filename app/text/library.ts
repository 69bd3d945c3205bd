/** @file The library's own words for recipes and options in the language of the page, as far as that has words for them. */

import { language } from "./text.ts";
import { zhOptions } from "./zh_options.ts";

export const told = (words: string): string => (language.value === "zh" ? (zhOptions[words] ?? words) : words);
