/** @file Imports of what only the user knows, or what no bundle can hold. */

/**
 * The module of a URL, or of a package that may not be installed. Bundlers must leave such an import alone, and each of them has its own comment that
 * says so: what they cannot follow they refuse, or make an error when it is run. The runtime finds packages from where the bundle lies.
 */
export const importModule = (specifier: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ specifier);
