/** @file Which scope owns what is created: `scope` opens and closes them, every new tensor reports here. */

import { refused } from "../host/kinds.ts";

/** Something to give back, such as a tensor. */
interface Owned {
  dispose(): void;
}

export interface Scope {
  readonly made: Set<Owned>;
  readonly outer: Scope | undefined;
}

let current: Scope | undefined;

/** The scope that new tensors belong to; with an argument, sets it and returns the one before. */
export function enter(scope: Scope | undefined): Scope | undefined {
  const before = current;
  current = scope;
  return before;
}

/** Called by every new tensor. */
export function tracked(made: Owned): void {
  current?.made.add(made);
}

/**
 * Takes a tensor out of all scopes: it lives until its owner disposes it.
 * @param tensor anything with a `dispose`
 */
export function keep<T extends { dispose(): void }>(tensor: T): T {
  if (typeof (tensor as T | undefined)?.dispose !== "function") refused("keep", "tensor", "a tensor", tensor);
  for (let s = current; s; s = s.outer) s.made.delete(tensor);
  return tensor;
}
