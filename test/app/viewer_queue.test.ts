/** @file What comes faster than the viewer draws is drawn once: the last of it, with all steps, and nothing else is left out or exchanged. */

import { expect, test } from "vitest";
import type { Pointer, ToViewer } from "../../app/viewer/messages.ts";
import { inOrder } from "../../app/viewer/queue.ts";

const pointer = (type: Pointer["type"], x: number): ToViewer => ({
  kind: "pointer",
  pointer: { type, x, y: 0, button: 0, deltaY: 0, shift: false, ctrl: false },
});

test("sixty moves of a mouse while one is drawn are one, presses and the wheel are all heeded", async () => {
  const taken: ToViewer[] = [];
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const wish = inOrder(async (message) => {
    await new Promise((done) => setTimeout(done, 1));
    taken.push(message);
    if (message.kind === "layout") end();
  });
  wish(pointer("mousedown", 0));
  for (let x = 1; x <= 60; x++) wish(pointer("mousemove", x));
  wish(pointer("mouseup", 60));
  for (const _ of "ab") wish(pointer("wheel", 60));
  for (const by of [
    [1, 0, 0],
    [1, 0, 0],
    [0, 0, -1],
  ])
    wish({ kind: "move", by });
  for (const low of [1, 2, 3]) wish({ kind: "window", window: [low, 9] });
  wish({ kind: "layout", layout: "axial" });
  await ended;
  expect(taken).toEqual([
    pointer("mousedown", 0),
    pointer("mousemove", 60),
    pointer("mouseup", 60),
    pointer("wheel", 60),
    pointer("wheel", 60),
    { kind: "move", by: [2, 0, -1] },
    { kind: "window", window: [3, 9] },
    { kind: "layout", layout: "axial" },
  ]);
});
