/** @file Functions that must be synchronous, because what surrounds them is undone when they return: refused, without leaving a rejection behind. */

import { ConfigError } from "../host/errors.ts";
import { expectArguments } from "../host/kinds.ts";

const refuse = (op: string): never => {
  throw new ConfigError(`${op}: the function must be synchronous; await before or after it`);
};

/** Throws `ConfigError` for what is no function, and for an `async` one before any of it has run. */
export function expectNotAsync(op: string, fn: unknown): void {
  expectArguments(op, "function", { "the argument to run": fn });
  if (Object.prototype.toString.call(fn) === "[object AsyncFunction]") refuse(op);
}

/** Throws `ConfigError` for a promise, such as compiled code gives in the place of an `async` function; how it ends is nobody's concern. */
export function expectNoPromise(op: string, result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") return;
  (result as PromiseLike<unknown>).then(
    () => {},
    () => {},
  );
  refuse(op);
}

/** The result of `fn`. Throws `ConfigError` if it is asynchronous. */
export function runSynchronous<T>(op: string, fn: () => T): T {
  expectNotAsync(op, fn);
  const result = fn();
  expectNoPromise(op, result);
  return result;
}
