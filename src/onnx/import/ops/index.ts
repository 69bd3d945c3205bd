/**
 * @file All operators: a file for those that belong together, with a record `operators` by ONNX's names. A new operator is a file and a row here.
 */

export { operators as activations } from "./activations.ts";
export { operators as affineGrid } from "./affine_grid.ts";
export { operators as arcs } from "./arcs.ts";
export { operators as arg } from "./arg.ts";
export { operators as attention } from "./attention.ts";
export { operators as cast } from "./cast.ts";
export { operators as centerCropPad } from "./center_crop_pad.ts";
export { operators as col2im } from "./col2im.ts";
export { operators as compress } from "./compress.ts";
export { operators as constant } from "./constant.ts";
export { operators as conv } from "./conv.ts";
export { operators as cumsum } from "./cumsum.ts";
export { operators as dropout } from "./dropout.ts";
export { operators as einsum } from "./einsum.ts";
export { operators as finite } from "./finite.ts";
export { operators as fused } from "./fused.ts";
export { operators as gather } from "./gather.ts";
export { operators as gatherNd } from "./gather_nd.ts";
export { operators as gridSample } from "./grid_sample.ts";
export { operators as hyperbolic } from "./hyperbolic.ts";
export { operators as matmul } from "./matmul.ts";
export { operators as norm } from "./norm.ts";
export { operators as oneHot } from "./one_hot.ts";
export { operators as pad } from "./pad.ts";
export { operators as pixelShuffle } from "./pixel_shuffle.ts";
export { operators as pointwise } from "./pointwise.ts";
export { operators as pool } from "./pool.ts";
export { operators as prelu } from "./prelu.ts";
export { operators as quantize } from "./quantize.ts";
export { operators as quantized } from "./quantized.ts";
export { operators as quantizedPointwise } from "./quantized_pointwise.ts";
export { operators as reduce } from "./reduce.ts";
export { operators as resize } from "./resize.ts";
export { operators as scatter } from "./scatter.ts";
export { operators as softmax } from "./softmax.ts";
export { operators as tile } from "./tile.ts";
export { operators as topK } from "./top_k.ts";
export { operators as triangle } from "./triangle.ts";
export { operators as trigonometry } from "./trigonometry.ts";
export { operators as unitNorm } from "./unit_norm.ts";
export { operators as view } from "./view.ts";
