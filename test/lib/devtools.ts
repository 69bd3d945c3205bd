/** @file Chromium by its debugging protocol alone: Playwright tells every tab that it is in front, so that none is ever hidden. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromiumFlags, chromiumPath } from "./chromium.ts";

interface Answer {
  readonly id?: number;
  readonly result?: never;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value: unknown };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string }; readonly text: string };
}

/** A browser of its own process and profile. */
export class Browser {
  private readonly process: ChildProcess;
  private readonly profile: string;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private last = 0;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.process = process;
    this.profile = profile;
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.waiting.get(answer.id)?.(answer);
    });
  }

  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "voxgrad-profile-"));
    const flags = [
      ...chromiumFlags,
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "--accept-lang=en",
      "about:blank",
    ];
    const process = spawn(chromiumPath(), flags, { stdio: ["ignore", "ignore", "pipe"] });
    for await (const line of createInterface({ input: process.stderr! })) {
      const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (address === undefined) continue;
      const socket = new WebSocket(address);
      await once(socket, "open");
      process.stderr!.resume();
      return new Browser(process, profile, socket);
    }
    throw new Error("Chromium ended before it could be talked to");
  }

  /** Asks the browser, or one of its tabs. */
  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) => {
        this.waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result as T);
      });
      this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  /** Opens a tab before all others. */
  async open(url: string): Promise<Tab> {
    const { targetId } = await this.send<{ targetId: string }>("Target.createTarget", { url });
    const { sessionId } = await this.send<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
    await this.send("Target.activateTarget", { targetId });
    return new Tab(this, sessionId);
  }

  async close(): Promise<void> {
    const ended = once(this.process, "exit");
    await this.send("Browser.close");
    await ended;
    this.socket.close();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Tab {
  private readonly browser: Browser;
  private readonly session: string;

  constructor(browser: Browser, session: string) {
    this.browser = browser;
    this.session = session;
  }

  /** The value of an expression, awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.browser.send<Evaluated>("Runtime.evaluate", params, this.session);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  }

  /** Waits until an expression is true; asked from here, since timers of the tab may sleep. */
  async until(expression: string, seconds = 300): Promise<void> {
    const end = performance.now() + 1000 * seconds;
    while ((await this.evaluate(expression)) !== true) {
      if (performance.now() > end) throw new Error(`not within ${seconds} s: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
