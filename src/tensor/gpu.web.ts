/** @file The browser's half of `#gpu`. */

/** The page's GPU entry, or `undefined` where the browser has no WebGPU (or the page is not a secure context). */
export async function loadGPU(_toggles: readonly string[]): Promise<GPU | undefined> {
  return globalThis.navigator?.gpu;
}

/** What the user can do when no adapter was found. */
export const noAdapterAdvice =
  "this browser offers no WebGPU adapter: use a current Chrome, Edge, Safari or Firefox over https or localhost, and check that hardware acceleration is on";

/** A browser waits in another process. */
export const pollsWhileWaiting = false;
