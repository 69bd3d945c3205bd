/**
 * @file Programs compiled before they are needed. Mesa's llvmpipe makes machine code of a program when that is first dispatched, in the thread of the device's queue, and
 * not with its pipeline. So there each is dispatched ahead, over no workgroups. Where that takes long, a second device does the same from the other end of the list, in a
 * thread of its own: what it has compiled, the first one reads from Mesa's cache on disk.
 */

import { usage } from "./buffers.ts";
import type { KernelCall } from "./kernel.ts";
import { PipelineCache } from "./pipelines.ts";
import type { GPUDevice } from "./webgpu.ts";

/** A device that programs are compiled for. */
interface Compiling {
  readonly gpu: GPUDevice;
  readonly pipelines: PipelineCache;
}

/** Asks for what a device answers. */
type Wait = <T>(ask: () => Promise<T>) => Promise<T>;

// A program that is read from the cache takes less. In milliseconds.
const cachedMs = 25;
// The first ones may take longer for other reasons, such as pipelines that are made at the same time.
const certain = 3;
// For fewer programs to come no device is opened.
const worthwhile = 4;
// More than any kernel binds, and larger than what most expect of a binding.
const dummies = 12;
const dummyBytes = 65536;

// A device is given a program while it compiles another, so that it need not wait for this thread on a busy machine.
const twice = (work: () => Promise<void>): Promise<void[]> => Promise.all([work(), work()]);

/**
 * Compiles the program of each call, all of them different, on a device that is called `name`. `onDone` hears of each. `open` opens another device of the same adapter;
 * undefined where devices do not read what others have compiled.
 */
export async function compile(
  own: Compiling & { readonly name: string },
  all: readonly KernelCall[],
  wait: Wait,
  open: (() => Promise<GPUDevice>) | undefined,
  onDone: () => void,
): Promise<void> {
  const calls = all.filter((call) => !own.pipelines.has(call));
  for (let i = calls.length; i < all.length; i++) onDone();
  const pipelines = calls.map((call) => own.pipelines.prepare(call)); // at once: making them has threads of its own
  if (calls.length > 0 && /llvmpipe|lavapipe/i.test(own.name))
    await Promise.all([...pipelines, dispatchAll(own, calls, wait, open, onDone)]);
  else await Promise.all(pipelines.map((made) => made.then(onDone)));
}

async function dispatchAll(
  own: Compiling,
  calls: readonly KernelCall[],
  wait: Wait,
  open: (() => Promise<GPUDevice>) | undefined,
  onDone: () => void,
): Promise<void> {
  const left = { front: 0, back: calls.length };
  let slow = 0;
  let helped: Promise<void> | undefined;
  const help = async (): Promise<void> => {
    const gpu = await open!();
    const { dispatch } = dispatcher({ gpu, pipelines: new PipelineCache(gpu) });
    try {
      await twice(async () => {
        while (left.front < left.back) await wait(() => dispatch(calls[--left.back]));
      });
    } finally {
      gpu.destroy();
    }
  };
  const { dispatch, dispose } = dispatcher(own);
  const compiled = async (call: KernelCall): Promise<void> => {
    await wait(() => own.pipelines.prepare(call));
    const start = performance.now();
    await wait(() => dispatch(call));
    onDone();
    if (performance.now() - start > cachedMs) slow++;
    // Where help fails there is none.
    if (open && slow >= certain && left.back - left.front >= worthwhile) helped ??= help().catch(() => {});
  };
  try {
    await twice(async () => {
      while (left.front < left.back) await compiled(calls[left.front++]);
    });
    await helped;
    // The cache is written a moment later, so what was compiled last is read last.
    await Promise.all(calls.slice(left.front).toReversed().map(compiled));
  } finally {
    left.front = calls.length; // where a program was refused, help ends too
    await helped;
    dispose();
  }
}

/** Dispatches a call's program over buffers of zeros, which `dispose` gives back. */
function dispatcher({ gpu, pipelines }: Compiling) {
  const buffer = (use: number) => ({ buffer: gpu.createBuffer({ size: dummyBytes, usage: use }) });
  const storage = Array.from({ length: dummies }, () => buffer(usage.storage));
  const uniform = buffer(usage.uniform);
  // Dawn prints a warning where the number of workgroups is given as 0.
  const none = buffer(usage.indirect);
  const dispatch = async (call: KernelCall): Promise<void> => {
    const { pipeline, layout } = await pipelines.prepare(call);
    const entries = call.bindings.map((_, i) => ({ binding: i + 1, resource: storage[i] }));
    if (call.params) entries.unshift({ binding: 0, resource: uniform });
    // A kernel that expects more of a binding is compiled when it runs.
    gpu.pushErrorScope("validation");
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroupsIndirect(none.buffer, 0);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await Promise.all([gpu.popErrorScope(), gpu.queue.onSubmittedWorkDone()]);
  };
  const dispose = (): void => [...storage, uniform, none].forEach((b) => b.buffer.destroy());
  return { dispatch, dispose };
}
