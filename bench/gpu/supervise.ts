/**
 * @file Runs a stage in a process of its own: a crash of the driver, or an item that hangs, costs that item and no other. The process is ended, the item is
 * noted as a failure and another process goes on behind it.
 */

import { fork } from "node:child_process";
import { type Message, note, type StageRecord, type Task } from "./record.ts";

/** Starts a process on a task. `onEnd` tells why it ended, undefined if by itself; what is returned ends it. */
export type Start = (task: Task, onMessage: (message: Message) => void, onEnd: (why: string | undefined) => void) => () => void;

export interface Limits {
  /** Of one item. */
  readonly itemSeconds: number;
  /** What an item that is under way may take beyond the stage's time. */
  readonly graceSeconds: number;
  /** Called after each message. */
  readonly onMessage?: (message: Message) => void;
}

/** Processes for one stage: some may die, but a stage that keeps dying is not worth the time. */
const attempts = 8;

/** Fills the record of one stage; never throws. */
export async function runStage(record: StageRecord, task: Task, start: Start, limits: Limits): Promise<void> {
  const begun = Date.now();
  for (let attempt = 0; attempt < attempts && record.state === "running"; attempt++) {
    const skip = [...Object.keys(record.values), ...Object.keys(record.failures)];
    const { item, why } = await attend(record, { ...task, skip }, start, limits);
    record.seconds = (Date.now() - begun) / 1000;
    if (why === undefined || record.state !== "running") continue;
    if (item === undefined) {
      record.notes.push(why);
      record.state = "failed";
      continue;
    }
    note(record, { kind: "failure", item, error: why });
    limits.onMessage?.({ kind: "failure", item, error: why });
    if (Date.now() >= task.until) record.state = "cut";
  }
  if (record.state === "running") {
    record.notes.push(`given up after ${attempts} processes`);
    record.state = "failed";
  }
}

interface End {
  /** What was under way. */
  readonly item: string | undefined;
  readonly why: string | undefined;
}

function attend(record: StageRecord, task: Task, start: Start, limits: Limits): Promise<End> {
  const { itemSeconds, graceSeconds, onMessage } = limits;
  return new Promise((resolve) => {
    let item: string | undefined;
    let since = Date.now();
    let late: string | undefined;
    const stop = start(
      task,
      (message) => {
        note(record, message);
        if (message.kind === "begin") [item, since] = [message.item, Date.now()];
        if (message.kind === "value" || message.kind === "failure") item = undefined;
        onMessage?.(message);
      },
      (why) => {
        clearInterval(watch);
        resolve({ item, why: late ?? why });
      },
    );
    const watch = setInterval(() => {
      const now = Date.now();
      if (now > task.until + 1000 * graceSeconds) late ??= "it did not end in the time of its stage";
      else if (item !== undefined && now - since > 1000 * itemSeconds) late ??= `it did not end in ${itemSeconds} s`;
      if (late) stop();
    }, 100);
  });
}

/** A process of the program that is running, asked by `--stage` to serve. */
export const startProcess: Start = (task, onMessage, onEnd) => {
  const child = fork(process.argv[1], ["--stage"], { serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let tail = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (data: Buffer) => (tail = (tail + data.toString()).slice(-2000)));
  }
  let ended = false;
  const end = (why: string | undefined) => {
    if (!ended) onEnd(why);
    ended = true;
  };
  child.on("message", (message) => onMessage(message as Message));
  child.on("error", (error) => end(error.message));
  // After its streams are read, so that the last words count.
  child.on("close", (code, signal) => {
    end(code === 0 ? undefined : `its process ended with ${signal ?? `code ${code}`}${tail.trim() ? `: ${tail.trim()}` : ""}`);
  });
  child.send(task);
  return () => child.kill("SIGKILL");
};
