/**
 * @file The emitters of all operations: a file each, named as the operation's in `autograd`, with a record `emitters` by the names that the tape
 * tells. A new operation is a file and a row here.
 */

export { emitters as cast } from "./cast.ts";
export { emitters as conv } from "./conv.ts";
export { emitters as cumsum } from "./cumsum.ts";
export { emitters as gridSample } from "./grid_sample.ts";
export { emitters as indexing } from "./indexing.ts";
export { emitters as interpolate } from "./interpolate.ts";
export { emitters as matmul } from "./matmul.ts";
export { emitters as native } from "./native.ts";
export { emitters as norm } from "./norm.ts";
export { emitters as pad } from "./pad.ts";
export { emitters as pixelShuffle } from "./pixel_shuffle.ts";
export { emitters as pointwise } from "./pointwise.ts";
export { emitters as pool } from "./pool.ts";
export { emitters as prelu } from "./prelu.ts";
export { emitters as reduce } from "./reduce.ts";
export { emitters as repeat } from "./repeat.ts";
export { emitters as softmax } from "./softmax.ts";
export { emitters as tieUnused } from "./tie_unused.ts";
export { emitters as view } from "./view.ts";
