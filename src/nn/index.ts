/** @file Layers, losses and optimizers. */

export {
  Activation,
  activationLayer,
  type ActivationOptions,
  type ActivationSpec,
  type NoOptions,
  PReLU,
} from "./layers/activation.ts";
export * from "./losses/batch_dice.ts";
export {
  type AdnOptions,
  Convolution,
  type ConvolutionOptions,
  type DropoutDimOptions,
  ResidualUnit,
  type ResidualUnitOptions,
} from "./layers/blocks.ts";
export * from "./losses/cl_dice.ts";
export * from "./losses/compound.ts";
export * from "./layers/conv.ts";
export * from "./losses/dice.ts";
export { AlphaDropout, Dropout, dropoutLayer, type DropoutSpec, seedDropout } from "./layers/dropout.ts";
export * from "./determinism.ts";
export * from "./optim/ema.ts";
export * from "./losses/hausdorff.ts";
export * from "./optim/grad_scaler.ts";
export { manualSeed } from "./init.ts";
export * from "./layers/linear.ts";
export { describeLoad, type LoadOptions, type LoadReport } from "./load_state.ts";
export * from "./losses/elementwise.ts";
export { Identity, Module, Sequential } from "./module.ts";
export * from "./layers/module_list.ts";
export type { NameFilter } from "./names.ts";
export { type GroupRule, parameterGroups } from "./optim/parameter_groups.ts";
export type { StateDict } from "./state_dict.ts";
export * from "./losses/masked.ts";
export * from "./losses/nacl.ts";
export * from "./losses/nnunet.ts";
export type { AnyCase } from "./layers/named.ts";
export * from "./layers/norm.ts";
export * from "./optim/adagrad.ts";
export * from "./optim/adam.ts";
export * from "./optim/nadam.ts";
export * from "./optim/radam.ts";
export { Optimizer, type ParamGroup, type StepOptions } from "./optim/optimizer.ts";
export * from "./optim/rmsprop.ts";
export * from "./optim/sgd.ts";
export type { Reduction } from "../autograd/cross_entropy.ts";
export type { OverlapLossOptions, TargetOptions } from "./losses/overlap.ts";
export * from "./layers/pool.ts";
export * from "./losses/quicknat.ts";
export * from "./optim/rates.ts";
export * from "./optim/schedulers.ts";
export * from "./layers/squeeze_excite.ts";
export * from "./summary.ts";
export { LayersGraph, layersModel } from "./layers_model.ts";
export * from "./losses/unified_focal.ts";
export * from "./layers/upsample.ts";
export * from "./layers/upsample_block.ts";
export * from "./losses/wasserstein_dice.ts";
