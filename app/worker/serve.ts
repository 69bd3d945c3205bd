/** @file The worker's side of the protocol: calls run as they come, are told of aborts, and end with a value or a failure. */

import { VoxgradError } from "voxgrad";
import type { CallName, Calls, Failure, FromWorker, ToWorker } from "../protocol.ts";

export interface CallContext<K extends CallName> {
  readonly signal: AbortSignal;
  /** Tells the page; buffers in `transfer` go over as they are. */
  tell(event: Calls[K]["event"], transfer?: Transferable[]): void;
}

export type Handler<K extends CallName> = (args: Calls[K]["args"], context: CallContext<K>) => Promise<Calls[K]["value"]>;
export type Handlers = { readonly [K in CallName]: Handler<K> };

const post = (message: FromWorker, transfer: Transferable[] = []): void => globalThis.postMessage(message, { transfer });

/** What a browser's own errors mean to a user, by their names. */
const browserErrors: Readonly<Record<string, string>> = {
  AbortError: "Abort",
  QuotaExceededError: "Quota",
  NotReadableError: "Gone",
  NotFoundError: "Gone",
  NotAllowedError: "Permission",
  SecurityError: "Permission",
};

/** Arrays that are not to be had: browsers tell of them in words of their own, by errors that mean other things too. */
const noMemory = /alloc|memory|invalid (typed )?array length/i;

/** What the page is told of an error. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof VoxgradError) {
    // Readers name the file; that it is gone is what the user can mend.
    const gone = browserErrors[(error.cause as Partial<Error> | undefined)?.name ?? ""] === "Gone";
    return { code: gone ? "Gone" : error.code, message: error.message };
  }
  if (!(error instanceof Error)) return { code: "Unexpected", message: String(error) };
  const { name, message } = error;
  const code = browserErrors[name] ?? (name === "RangeError" && noMemory.test(message) ? "Memory" : "Unexpected");
  return { code, message: code === "Abort" ? "" : `${name}: ${message}` };
};

/** Answers what the page sends. */
export function serve(handlers: Handlers): void {
  const running = new Map<number, AbortController>();
  const run = async <K extends CallName>(call: K, id: number, args: Calls[K]["args"]): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const tell = (event: unknown, transfer?: Transferable[]) => post({ id, kind: "event", event }, transfer);
      const value = await handlers[call](args, { signal: controller.signal, tell });
      post({ id, kind: "value", value });
    } catch (error) {
      post({ id, kind: "failure", failure: controller.signal.aborted ? { code: "Abort", message: "" } : failureOf(error) });
    } finally {
      running.delete(id);
    }
  };
  globalThis.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    if (data.call === "abort") running.get(data.id)?.abort();
    else void run(data.call, data.id, data.args);
  });
}

/** Seconds left after `done` of `total`, told from the time since the first; the first of all is slow. */
export function timer(): (done: number, total: number) => number | undefined {
  let first: { readonly done: number; readonly at: number } | undefined;
  return (done, total) => {
    first ??= { done, at: performance.now() };
    const passed = done - first.done;
    return passed > 0 ? ((performance.now() - first.at) / passed / 1000) * (total - done) : undefined;
  };
}
