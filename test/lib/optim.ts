/** @file Optimizers and schedulers under the names of PyTorch, for cases recorded there. */

import * as nn from "../../src/nn/index.ts";

export const optimizers: Readonly<Record<string, new (params: any, options: any) => nn.Optimizer>> = {
  Adam: nn.Adam,
  AdamW: nn.AdamW,
  SGD: nn.SGD,
  RMSprop: nn.RMSprop,
  Adagrad: nn.Adagrad,
  NAdam: nn.NAdam,
  RAdam: nn.RAdam,
};

type AnyScheduler = nn.Scheduler | nn.ReduceLROnPlateau;

export const schedulers: Readonly<Record<string, new (optimizer: nn.Optimizer, options: any) => AnyScheduler>> = {
  StepLR: nn.StepLR,
  MultiStepLR: nn.MultiStepLR,
  ExponentialLR: nn.ExponentialLR,
  CosineAnnealingLR: nn.CosineAnnealingLR,
  CosineAnnealingWarmRestarts: nn.CosineAnnealingWarmRestarts,
  CyclicLR: nn.CyclicLR,
  PolynomialLR: nn.PolynomialLR,
  LinearLR: nn.LinearLR,
  OneCycleLR: nn.OneCycleLR,
  ReduceLROnPlateau: nn.ReduceLROnPlateau,
};
