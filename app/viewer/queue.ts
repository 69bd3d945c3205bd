/** @file What the viewer is asked for, one after the other; of wishes that come faster than it draws, the last. */

import type { ToViewer } from "./messages.ts";

/** Of which each makes the one before it of no use. */
const last: ReadonlySet<string> = new Set(["resize", "look", "layout", "window", "sides"]);

/** Two wishes as one that comes to the same, if there is one. */
function merged(a: ToViewer, b: ToViewer): ToViewer | undefined {
  if (a.kind === "move" && b.kind === "move") return { kind: "move", by: [0, 1, 2].map((i) => a.by[i] + b.by[i]) };
  if (a.kind === "pointer" && b.kind === "pointer")
    return a.pointer.type === "mousemove" && b.pointer.type === "mousemove" ? b : undefined;
  return a.kind === b.kind && last.has(b.kind) ? b : undefined;
}

/** Takes what it is given in order. A drawing takes up to a second without a GPU, in which a mouse moves sixty times: drawn one by one, they would be seen for minutes. */
export function inOrder(take: (message: ToViewer) => Promise<void>): (message: ToViewer) => void {
  const waiting: ToViewer[] = [];
  let working = false;
  const work = async (): Promise<void> => {
    working = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await take(next);
      // What has come meanwhile is heard of in a task of its own.
      await new Promise((done) => setTimeout(done));
    }
    working = false;
  };
  return (message) => {
    const before = waiting.at(-1);
    const both = before && merged(before, message);
    if (both) waiting[waiting.length - 1] = both;
    else waiting.push(message);
    if (!working) void work();
  };
}
