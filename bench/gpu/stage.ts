/** @file A stage's own process: it does its items one after the other and tells the runner of each at once. */

import { type Device, openDevice, useChoices } from "../../src/index.ts";
import type { Message, StageName, Task } from "./record.ts";

/** f16 on NVIDIA, subgroup matrices and fine timestamps, which Dawn gives only on request. */
export const toggles = [
  "disable-dawn-features=timestamp_quantization",
  "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia",
];

export type Send = (message: Message) => Promise<void>;
export type StageRun = (context: Context) => Promise<void>;

export class Context {
  readonly task: Task;
  readonly send: Send;
  /** Whether time ran out before all was done. */
  cut = false;
  private opened: Device | undefined;

  constructor(task: Task, send: Send) {
    this.task = task;
    this.send = send;
  }

  get secondsLeft(): number {
    return (this.task.until - Date.now()) / 1000;
  }

  /** The device, with what `tune` chose; another one after a failure, since a device that reported a fault does nothing any more. */
  async device(): Promise<Device> {
    if (!this.opened) {
      this.opened = await openDevice({ toggles });
      if (this.task.choices) useChoices(this.opened, this.task.choices);
    }
    return this.opened;
  }

  close(): void {
    this.opened?.close();
    this.opened = undefined;
  }

  /** Runs the items that are not dealt with yet, as long as there is time; a failing one is noted and the next one begins on a new device. */
  async each<T>(items: readonly T[], name: (item: T) => string, run: (item: T) => Promise<unknown>): Promise<void> {
    await this.send({ kind: "total", total: items.length });
    const done = new Set(this.task.skip);
    for (const item of items) {
      if (done.has(name(item))) continue;
      if (this.secondsLeft <= 0) {
        this.cut = true;
        return;
      }
      await this.item(name(item), () => run(item));
    }
  }

  async item(name: string, run: () => Promise<unknown>): Promise<void> {
    await this.send({ kind: "begin", item: name });
    try {
      const value = await run();
      this.opened?.check();
      await this.send({ kind: "value", item: name, value });
    } catch (error) {
      this.close();
      await this.send({ kind: "failure", item: name, error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Takes one task from the runner, does it and ends the process. */
export async function serve(stages: Readonly<Record<StageName, StageRun>>): Promise<never> {
  const task = await new Promise<Task>((resolve) => process.once("message", (message) => resolve(message as Task)));
  process.once("disconnect", () => process.exit(1)); // the runner is gone
  const send: Send = (message) => new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
  const context = new Context(task, send);
  let skipped = false;
  await stages[task.stage](context).catch(async (error: unknown) => {
    if (!(error instanceof Skipped)) throw error;
    skipped = true;
    await send({ kind: "note", text: error.message });
  });
  await send({ kind: "end", state: skipped ? "skipped" : context.cut ? "cut" : "done" });
  context.close();
  process.exit(0);
}

/** Thrown by a stage that cannot run here, with the reason. */
export class Skipped extends Error {}
