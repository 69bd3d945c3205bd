/** @file Layers, losses and optimisers. */

export * from "./activation.ts";
export * from "./blocks.ts";
export * from "./conv.ts";
export * from "./dice.ts";
export * from "./dropout.ts";
export { initGenerator, manualSeed } from "./init.ts";
export * from "./module.ts";
export * from "./norm.ts";
export * from "./optim.ts";
export * from "./safetensors.ts";
