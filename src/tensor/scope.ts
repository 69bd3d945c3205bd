/** @file Scopes free what they see created: the deterministic way to bound memory in eager code. */

import { ConfigError } from "../host/errors.ts";
import type { Tensor } from "./tensor.ts";

interface Scope {
  readonly made: Set<Tensor>;
  readonly outer: Scope | undefined;
}

let current: Scope | undefined;

/** Called by every new tensor. */
export function tracked(tensor: Tensor): void {
  current?.made.add(tensor);
}

/** Takes a tensor out of all scopes: it lives until its owner disposes it. */
export function keep<T extends Tensor>(tensor: T): T {
  for (let s = current; s; s = s.outer) s.made.delete(tensor);
  return tensor;
}

type Kept = Tensor | readonly Kept[] | { readonly [key: string]: Kept } | undefined | null | void | number | string | boolean;

function visit(value: Kept, out: Tensor[]): void {
  if (typeof value !== "object" || value === null) return;
  if ("storage" in value && "dtype" in value) out.push(value as Tensor);
  else for (const v of Array.isArray(value) ? value : Object.values(value)) visit(v as Kept, out);
}

/**
 * Runs `fn` and disposes every tensor created in it except those in its result (a tensor, or arrays and records of tensors), which pass to
 * the enclosing scope. `fn` must be synchronous, else `ConfigError`: a tensor created after an `await` would belong to nobody.
 */
export function scope<T extends Kept>(fn: () => T): T {
  const outer = current;
  const inner: Scope = { made: new Set(), outer };
  current = inner;
  const survivors: Tensor[] = [];
  try {
    const result = fn();
    if (result instanceof Promise) throw new ConfigError("scope: the function must be synchronous; await before or after it");
    visit(result, survivors);
    return result;
  } finally {
    current = outer;
    const keepers = new Set(survivors);
    for (const t of inner.made) {
      if (keepers.has(t)) outer?.made.add(t);
      else t.dispose();
    }
  }
}
