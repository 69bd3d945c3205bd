/** @file What only Node has of voxgrad/data: files by path. Importing it in a browser bundle fails at build time. */

export { writeFileAtomic } from "./atomic.node.ts";
export * from "./decathlon.node.ts";
export * from "./nifti.node.ts";
