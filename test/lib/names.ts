/** @file Names of other libraries' options. */

import { camelCase } from "../../src/host/text.ts";

export { camelCase as camel };

/** Options under camelCase names. */
export const camelKeys = (options: Readonly<Record<string, unknown>>): Record<string, any> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), value]));
