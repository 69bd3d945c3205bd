/** @file Scopes free what they see created: the deterministic way to bound memory in eager code. */

import { enter, keep, type Scope } from "./lifetime.ts";
import { runSynchronous } from "./synchronous.ts";
import { Tensor } from "./tensor.ts";

export { keep };

/** What a scope may return: the tensors in it live on. */
export type ScopeResult =
  | Tensor
  | readonly ScopeResult[]
  | { readonly [key: string]: ScopeResult }
  | undefined
  | null
  | void
  | number
  | string
  | boolean;

function visit(value: ScopeResult, out: Tensor[]): void {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Tensor) out.push(value);
  else for (const v of Array.isArray(value) ? value : Object.values(value)) visit(v as ScopeResult, out);
}

/**
 * Runs `fn` and disposes every tensor created in it except those in its result (a tensor, or arrays and records of tensors), which pass to
 * the enclosing scope. `fn` must be synchronous, else `ConfigError`: a tensor created after an `await` would belong to nobody.
 */
export function scope<T extends ScopeResult>(fn: () => T): T {
  const outer = enter(undefined);
  const inner: Scope = { made: new Set(), outer };
  enter(inner);
  const survivors: Tensor[] = [];
  try {
    const result = runSynchronous("scope", fn);
    visit(result, survivors);
    return result;
  } finally {
    enter(outer);
    const keepers = new Set<unknown>(survivors);
    for (const t of inner.made) {
      if (keepers.has(t)) outer?.made.add(t);
      else t.dispose();
    }
  }
}
