/** @file The URL of a module of this package, which is TypeScript in a clone and JavaScript once built. */

/** @param path relative, ending in `.ts` */
export const moduleUrl = (path: string, from: string): URL =>
  new URL(from.endsWith(".ts") ? path : path.replace(/\.ts$/, ".js"), from);
