/** @file What the subcommands of `voxgrad` share: reading arguments and printing. */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { ConfigError } from "../../host/errors.ts";

/** A subcommand takes its arguments and gives an exit code. */
export type Command = (args: readonly string[]) => Promise<number>;

export const text = { type: "string" } as const;
export const flag = { type: "boolean" } as const;

/** Throws `ConfigError` for what is not among `options`. */
export function parse<T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: T,
  allowPositionals = false,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals, strict: true });
  } catch (error) {
    // Node's message, less its advice on positional arguments.
    const [problem] = (error as Error).message.replaceAll("\n", " ").split(". To specify a positional");
    const known = Object.keys(options).map((name) => `--${name}`);
    const unknown = (error as { code?: string }).code === "ERR_PARSE_ARGS_UNKNOWN_OPTION";
    throw new ConfigError(unknown ? `${problem}; known are ${known.join(", ") || "none"}` : problem, { cause: error });
  }
}

export const say = (line: string) => process.stdout.write(`${line}\n`);
