/** @file Networks in evaluation mode for as long as some work takes. */

import type { Module } from "./module.ts";

interface Modes {
  /** Works that go on. */
  count: number;
  readonly before: readonly (readonly [Module, boolean])[];
}

const open = new WeakMap<Module, Modes>();

/**
 * Does `work` with networks in evaluation mode. Behind the last of several works that overlap, each module is in the mode it was in before the first: also
 * one that evaluates in a network that trains, such as a frozen batch norm. @internal
 */
export async function evaluating<R>(networks: readonly Module[], work: () => Promise<R> | R): Promise<R> {
  const leave = networks.map(enter);
  try {
    return await work();
  } finally {
    for (const back of leave) back();
  }
}

/** Sets a network to evaluation mode, and gives what ends it. @internal */
export function enter(network: Module): () => void {
  const modes = open.get(network) ?? { count: 0, before: Array.from(network.modules(), (m) => [m, m.training] as const) };
  open.set(network, modes);
  modes.count++;
  network.eval();
  return () => {
    if (--modes.count > 0) return;
    open.delete(network);
    for (const [m, training] of modes.before) m.training = training;
  };
}
