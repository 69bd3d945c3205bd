/** @file The version of this package, for what is kept with results. */

/** As in package.json; `npm test` compares them. */
export const version = "0.1.0";
