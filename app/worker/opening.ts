/** @file What opens models of any kind: every network, recipe and format of weights. */

export { modelKindOf, openModel } from "voxgrad/seg";
