/**
 * @file The engine's end: one process per engine, asked in JSON lines on stdin, answering on stdout. Between answers it waits for stdin and
 * has nothing on the GPU: a pending WebGPU promise keeps Node's main thread spinning, which would cost the engine that is being timed.
 */

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { Task } from "./tasks.ts";

/** A task set up on the device. */
export interface Prepared {
  /** Hands one iteration to the device; the promise resolves when it is done, for a training step with the loss before the update. */
  start(): () => Promise<number | void>;
  /** The results in PyTorch's layout, for checks. Training steps have none. */
  results?(): Promise<Record<string, ArrayLike<number>>>;
  /** Bytes of device memory that the step was planned to take. */
  plannedBytes?(): number;
  free(): void;
}

export interface Engine {
  readonly version: string;
  /** Adapter in use. */
  readonly adapter: () => string;
  /** Throws, with the reason, for what the engine cannot do. */
  prepare(task: Task): Promise<Prepared>;
  /** WebGPU's classes, of which the calls are counted; none where the engine calls WebGPU from native code. */
  readonly webgpu?: Record<string, any>;
}

export type Request =
  | { phase: "hello" }
  | { phase: "prepare"; task: Task }
  | { phase: "check"; indices?: Record<string, readonly number[]> }
  | { phase: "run"; iterations: number }
  | { phase: "count" }
  | { phase: "free" };

/** Milliseconds: `wall` until the device was done, `host` until everything was handed over, `cpu` of all threads of the process. */
export interface Timing {
  readonly wall: number;
  readonly host: number;
  readonly cpu: number;
}

export interface Reply {
  readonly error?: string;
  readonly version?: string;
  readonly adapter?: string;
  /** Of `prepare`; of the last step of `check`. */
  readonly ms?: number;
  readonly samples?: Record<string, number[]>;
  readonly losses?: number[];
  /** Of the first step of `check`: tracing and compiling too. */
  readonly firstMs?: number;
  readonly plannedBytes?: number;
  readonly timings?: Timing[];
  readonly calls?: Record<string, number>;
}

export const stepsToCheck = 3; // the loss before each: the third shows two updates

async function timed(prepared: Prepared): Promise<Timing & { value: number | void }> {
  const cpu0 = process.cpuUsage();
  const start = performance.now();
  const done = prepared.start();
  const host = performance.now() - start;
  const value = await done();
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu0);
  return { wall, host, cpu: (used.user + used.system) / 1000, value };
}

async function check(prepared: Prepared, indices: Record<string, readonly number[]> = {}): Promise<Reply> {
  if (prepared.results) {
    const results = await prepared.results();
    return {
      samples: Object.fromEntries(Object.entries(indices).map(([name, list]) => [name, list.map((i) => results[name][i])])),
    };
  }
  const steps: Awaited<ReturnType<typeof timed>>[] = [];
  for (let i = 0; i < stepsToCheck; i++) steps.push(await timed(prepared));
  return {
    losses: steps.map((s) => Number(s.value)),
    firstMs: steps[0].wall,
    ms: steps.at(-1)!.wall,
    plannedBytes: prepared.plannedBytes?.(),
  };
}

const counted: Record<string, readonly string[]> = {
  GPUDevice: ["createBuffer", "createBindGroup"],
  GPUQueue: ["submit", "writeBuffer"],
  GPUComputePassEncoder: ["dispatchWorkgroups"],
};

/** WebGPU calls of one iteration. */
async function count(engine: Engine, prepared: Prepared): Promise<Reply> {
  if (!engine.webgpu) throw new Error("calls WebGPU from native code");
  const calls: Record<string, number> = {};
  const restore: (() => void)[] = [];
  for (const [type, names] of Object.entries(counted)) {
    const { prototype } = engine.webgpu[type];
    for (const name of names) {
      const original = prototype[name];
      calls[name] = 0;
      prototype[name] = function (this: unknown, ...args: unknown[]) {
        calls[name]++;
        return original.apply(this, args);
      };
      restore.push(() => (prototype[name] = original));
    }
  }
  try {
    await prepared.start()();
  } finally {
    for (const back of restore) back();
  }
  return { calls };
}

/** `Engine.prepare` from a function per kind of task. */
export function byKind(kinds: {
  readonly [K in Task["kind"]]: (task: Extract<Task, { kind: K }>) => Prepared | Promise<Prepared>;
}): Engine["prepare"] {
  return async (task) => (kinds[task.kind] as (task: Task) => Prepared | Promise<Prepared>)(task);
}

/** Answers requests until stdin ends. */
export async function serve(open: () => Promise<Engine>): Promise<void> {
  const answer = (reply: Reply) => void process.stdout.write(`${JSON.stringify(reply)}\n`);
  console.log = console.error; // stdout is the protocol's
  let engine: Engine | undefined;
  let prepared: Prepared | undefined;

  const reply = async (request: Request): Promise<Reply> => {
    engine ??= await open();
    if (request.phase === "hello") return { version: engine.version };
    if (request.phase === "prepare") {
      const start = performance.now();
      prepared = await engine.prepare(request.task);
      return { ms: performance.now() - start, adapter: engine.adapter() };
    }
    if (!prepared) throw new Error("nothing is prepared");
    switch (request.phase) {
      case "check":
        return check(prepared, request.indices);
      case "run": {
        const timings: Timing[] = [];
        for (let i = 0; i < request.iterations; i++) {
          const { wall, host, cpu } = await timed(prepared);
          timings.push({ wall, host, cpu });
        }
        return { timings };
      }
      case "count":
        return count(engine, prepared);
      case "free":
        prepared.free();
        prepared = undefined;
        return {};
    }
  };

  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await reply(JSON.parse(line) as Request));
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  process.exit(0); // engines leave timers and devices open
}

/** Options of Dawn, from the runner: `backend=null` executes nothing, which leaves the host's share of a step. */
export const dawnOptions = (process.env.PEERS_DAWN ?? "").split(";").filter(Boolean);

const require = createRequire(import.meta.url);

/** A package of bench/peers/node_modules. Untyped, so that the repository is checked without it. */
export const peer = (name: string): any => require(name);

/** The file that a peer's name leads `require` to. */
export const peerFile = (name: string): string => require.resolve(name);

export const peerVersion = (name: string): string => require(`${name}/package.json`).version;

/** Gives Node `navigator.gpu`; returns WebGPU's classes and the name of the adapter that was last asked for. */
export function polyfill(): { webgpu: Record<string, any>; adapter: () => string } {
  const { create, globals } = peer("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create(dawnOptions);
  let name = "";
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options?: unknown) => {
    const adapter = await requestAdapter(options);
    const { vendor, architecture, description, device } = adapter?.info ?? {};
    name = [vendor, architecture, description || device].filter(Boolean).join(" ");
    return adapter;
  };
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
  return { webgpu: globals, adapter: () => name };
}

/** Axes in a new order, on the host. */
export function permuted(data: ArrayLike<number>, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const result = new Float32Array(data.length);
  const at = axes.map(() => 0);
  let from = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = data[from];
    for (let k = axes.length - 1; k >= 0; k--) {
      from += strides[axes[k]];
      if (++at[k] < shape[axes[k]]) break;
      from -= at[k] * strides[axes[k]];
      at[k] = 0;
    }
  }
  return result;
}
