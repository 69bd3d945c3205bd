/**
 * @file Modes of the host that decide what operations do: whether a layer trains, whether a tensor wants a gradient, whether the tape runs. A
 * captured function looks at them only while it is traced, so a plan holds for the modes that it saw.
 */

import { runSynchronous } from "./synchronous.ts";

type Peek<O> = (owner: O) => boolean;

/** Modes that a trace looked at, with what it saw. */
export type Seen = ReadonlyMap<object, { readonly peek: Peek<never>; readonly value: boolean }>;

let version = 0;
let seen: Map<object, { peek: Peek<never>; value: boolean }> | undefined;
// Owners whose mode the traced function itself set before it looked.
let own: WeakSet<object> | undefined;

/** Grows with every change of a mode. */
export const modesVersion = (): number => version;

/** The mode of `owner`, noted by the trace that looks. */
export function look<O extends object>(owner: O, peek: Peek<O>): boolean {
  const value = peek(owner);
  if (seen && !seen.has(owner) && !own!.has(owner)) seen.set(owner, { peek, value });
  return value;
}

/** To be called when the mode of `owner` was set, to another one or not: what the traced function has set itself does not matter to its plan. */
export function modeSet(owner: object, differs: boolean): void {
  if (differs) version++;
  if (seen && !seen.has(owner)) own!.add(owner);
}

/** Runs `fn` and tells the modes of its surroundings that it looked at. */
export function watchModes(fn: () => void): Seen {
  const [seenBefore, ownBefore] = [seen, own];
  const found: typeof seen = new Map();
  seen = found;
  own = new WeakSet();
  try {
    fn();
  } finally {
    [seen, own] = [seenBefore, ownBefore];
  }
  return found;
}

/** Whether all modes are as they were seen. */
export function asSeen(modes: Seen): boolean {
  for (const [owner, { peek, value }] of modes) if (peek(owner as never) !== value) return false;
  return true;
}

const ambients: Ambient<unknown>[] = [];

/** A mode that a function sets for what it runs, such as the precision. */
export class Ambient<T> {
  value: T;

  constructor(value: T) {
    this.value = value;
    ambients.push(this as Ambient<unknown>);
  }

  /** Runs `fn` with the mode set to `value`, for the public function `op`. Throws `ConfigError` if `fn` is asynchronous. */
  with<R>(op: string, value: T, fn: () => R): R {
    const before = this.value;
    this.value = value;
    try {
      return runSynchronous(op, fn);
    } finally {
      this.value = before;
    }
  }
}

/** All ambient modes as text, for the keys of plans. */
export const ambientModes = (): string => ambients.map((a) => String(a.value)).join(" ");
