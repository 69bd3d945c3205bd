/** @file The runner's end of an engine's process. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Reply, Request } from "./worker.ts";

/** An engine's process; started anew when it ended. */
export class Client {
  readonly name: string;
  private readonly engine: string;
  private readonly env: NodeJS.ProcessEnv;
  private readonly timeoutMs: number;
  private child: ChildProcess | undefined;
  private settle: ((reply: Reply) => void) | undefined;
  private errors = "";

  /** `name` is for tables; the engine's file has it too unless `engine` says otherwise. */
  constructor(name: string, timeoutMs: number, env: NodeJS.ProcessEnv = {}, engine = name) {
    this.name = name;
    this.engine = engine;
    this.timeoutMs = timeoutMs;
    this.env = env;
  }

  /** The answer; a crash, a silence or a refusal is an answer with `error`. */
  ask(request: Request): Promise<Reply> {
    const child = (this.child ??= this.spawn());
    return new Promise<Reply>((resolve) => {
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        this.settle?.({ error: `no answer within ${this.timeoutMs / 1000} s` });
      }, this.timeoutMs);
      this.settle = (reply) => {
        clearTimeout(timer);
        this.settle = undefined;
        resolve(reply);
      };
      child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Ends the process and waits until its memory is free again. */
  async close(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin!.end();
    await ended;
  }

  private spawn(): ChildProcess {
    const file = join(import.meta.dirname, "engines", `${this.engine}.ts`);
    const child = spawn(process.execPath, ["--conditions=voxgrad-source", file], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...this.env },
    });
    child.stdin.on("error", () => {}); // a process that ended is reported by `exit`
    child.stderr.on("data", (data: Buffer) => (this.errors = (this.errors + data.toString()).slice(-4000)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) this.settle?.(JSON.parse(line) as Reply); // native code prints there too
    });
    child.on("exit", (code, signal) => {
      if (this.child !== child) return;
      this.child = undefined;
      const last =
        this.errors
          .trim()
          .split("\n")
          .findLast((l) => /error/i.test(l)) ?? "";
      this.settle?.({ error: `the process ended (${signal ?? code})${last && `: ${last}`}` });
    });
    return child;
  }
}
