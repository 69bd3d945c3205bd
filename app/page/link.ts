/** @file The page's side of the protocol: a call is a promise, with events on the way and a signal that ends it. */

import { signal } from "@preact/signals";
import type { CallName, Calls, Failure, FromWorker, ToWorker } from "../protocol.ts";

/** What the worker refused or could not do. */
export class WorkerError extends Error {
  readonly code: string;

  constructor({ code, message }: Failure) {
    super(message);
    this.name = "WorkerError";
    this.code = code;
  }
}

/** The last thing that went wrong, until the user closes it. */
export const failure = signal<Failure | null>(null);

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: WorkerError) => void;
  readonly onEvent: ((event: never) => void) | undefined;
}

const worker = new Worker(new URL("../worker/main.ts", import.meta.url), { type: "module", name: "voxgrad" });
const waiting = new Map<number, Waiting>();
let last = 0;

worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
  const call = waiting.get(data.id);
  if (data.kind === "event") return call?.onEvent?.(data.event as never);
  waiting.delete(data.id);
  if (data.kind === "value") call?.resolve(data.value as never);
  else call?.reject(new WorkerError(data.failure));
});
worker.addEventListener("error", (event) => {
  // Without words it could not be loaded, or has ended: nobody will answer what it was asked.
  if (event instanceof ErrorEvent && event.message) failure.value = { code: "Unexpected", message: event.message };
  else endAll({ code: "worker", message: "" });
});

function endAll(why: Failure): void {
  const open = [...waiting.values()];
  waiting.clear();
  for (const call of open) call.reject(new WorkerError(why));
  failure.value = why;
}

export interface CallOptions<K extends CallName> {
  readonly onEvent?: (event: Calls[K]["event"]) => void;
  readonly signal?: AbortSignal;
}

/** Asks the worker. Throws `WorkerError`. */
export function call<K extends CallName>(
  name: K,
  args: Calls[K]["args"],
  { onEvent, signal }: CallOptions<K> = {},
): Promise<Calls[K]["value"]> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, onEvent });
    signal?.addEventListener("abort", () => worker.postMessage({ call: "abort", id } satisfies ToWorker));
    worker.postMessage({ call: name, id, args } as ToWorker);
  });
}

/** Of files and folders, which the page's own thread walks. */
const pageErrors: Readonly<Record<string, string>> = {
  NotFoundError: "Gone",
  NotReadableError: "Gone",
  NotAllowedError: "Permission",
  SecurityError: "Permission",
};

/** Runs what a button asks for, and gives whether it was done; what goes wrong is shown, but not that the user ended it. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof WorkerError && error.code === "Abort") return false;
    failure.value =
      error instanceof WorkerError
        ? { code: error.code, message: error.message }
        : { code: pageErrors[(error as Partial<Error>)?.name ?? ""] ?? "Unexpected", message: String(error) };
    return false;
  }
}

/** A part of the page did not come: there is no network, or the site has a newer version. */
export function notLoaded(): void {
  failure.value = { code: "part", message: "" };
}

/** Offers a file to be saved. */
export function save({ name, blob }: { readonly name: string; readonly blob: Blob }): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
