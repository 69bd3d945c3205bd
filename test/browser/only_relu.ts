/** @file What a page takes that imports a single operation. */

export { relu } from "../../src/index.ts";
