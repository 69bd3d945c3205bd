/** @file Functions as steps of chains. */
import { ConfigError } from "../../host/errors.ts";

/** What a function gave. @throws ConfigError if it forgot to */
export function given<Y>(step: (x: never) => unknown, value: Y): Y {
  if (value !== undefined) return value;
  throw new ConfigError(`Compose: ${nameOfFunction(step)} gave nothing; return the value that the next transform is to have`);
}

/** What an error calls a function. */
export const nameOfFunction = ({ name }: { readonly name: string }): string =>
  name === "" ? "a function" : `the function ${name}`;
