/** @file The browser's half of `#gpu`. */

import { NoAdapterError } from "../host/errors.ts";

const advice =
  "use a current Chrome, Edge, Safari or Firefox over https or localhost, and check that hardware acceleration is on";

/** The page's GPU entry. Throws `NoAdapterError` where the browser has no WebGPU (or the page is not a secure context). */
export async function loadGPU(_toggles: readonly string[], _anew = false): Promise<GPU> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) throw new NoAdapterError(`no WebGPU adapter: this browser offers no WebGPU here: ${advice}`);
  return gpu;
}

/** What a browser answers it has looked at its GPU for. */
export const adapterPauses = (): readonly number[] => [];

/** Why there is no adapter, and what the user can do. */
export async function explainNoAdapter(): Promise<NoAdapterError> {
  return new NoAdapterError(`no WebGPU adapter: this browser offers none: ${advice}`);
}

/** Runs `fn`, which prints nothing here. */
export const quietly = <T>(fn: () => T): T => fn();

/** A browser waits in another process. */
export const pollsWhileWaiting = false;

/** What devices compile stays in that process. */
export const sharesCompiled = false;

/** So there is nothing to sleep through, and no thread that may. */
export const doze: ((ms: number) => Promise<void>) | undefined = undefined;
