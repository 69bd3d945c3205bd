/** @file Names of other libraries' options. */

/** snake_case to camelCase. */
export const camel = (name: string): string => name.replace(/_(.)/g, (_, c: string) => c.toUpperCase());

/** Options under camelCase names. */
export const camelKeys = (options: Readonly<Record<string, unknown>>): Record<string, any> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value]));
