/** @file Which of several images a path holds is meant, as flags. */

import type { ReadImageOptions } from "../../data/formats/format.ts";
import { ConfigError } from "../../host/errors.ts";
import { text } from "./command_line.node.ts";

/** The flags. */
export const imageChoices = { series: text, stack: text, array: text } as const;

/** What they choose. @throws ConfigError */
export function imageChoice({ stack, ...names }: { series?: string; stack?: string; array?: string }): ReadImageOptions {
  if (stack !== undefined && !/^\d+$/.test(stack)) throw new ConfigError(`--stack is "${stack}"; expected a number from 0`);
  return { ...names, ...(stack !== undefined && { stack: Number(stack) }) };
}
