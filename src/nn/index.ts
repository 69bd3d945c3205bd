/** @file Layers, losses and optimisers. */

export * from "./activation.ts";
export * from "./blocks.ts";
export * from "./conv.ts";
export * from "./dice.ts";
export * from "./dropout.ts";
export * from "./ema.ts";
export { initGenerator, manualSeed } from "./init.ts";
export * from "./linear.ts";
export * from "./losses.ts";
export * from "./module.ts";
export * from "./norm.ts";
export * from "./optim.ts";
export * from "./pool.ts";
export * from "./safetensors.ts";
export * from "./schedule.ts";
export * from "./schedulers.ts";
export * from "./upsample.ts";
