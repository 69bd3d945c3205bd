/** @file Networks in evaluation mode for a pass. */

import { Module } from "./module.ts";

/**
 * Does `pass` with networks in evaluation mode, and puts each module back into its own: also one that evaluates in a network that trains, such as a frozen batch
 * norm. Nothing of it is seen by what else runs, since nothing else runs meanwhile: what waits for a device does so outside. A captured function that passes
 * through networks this way holds whatever their modes are. @internal
 */
export function evaluating<R>(networks: readonly Module[], pass: () => R): R {
  const modes = networks.flatMap((network) => Array.from(network.modules(), (m) => [m, Module.trains(m)] as const));
  try {
    for (const network of networks) network.eval();
    return pass();
  } finally {
    for (const [m, training] of modes) m.training = training;
  }
}
