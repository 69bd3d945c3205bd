/** @file From the commands of a plan to what replays them: scratch, uniforms, bind groups. */

import { alignment, boundBytes, type Storage, usage } from "./buffers.ts";
import type { Device } from "./device.ts";
import { paramBytes } from "./stream.ts";
import { elideCopies } from "./elide.ts";
import { sum } from "./plan_memory.ts";
import { partSteady } from "./steady.ts";
import { type Command, place, type Region } from "./trace.ts";
import type { GPUBuffer } from "./webgpu.ts";

/** Sizes of scratch buffers, and which of them each storage gets. Results have memory of their own; placing them only kept others off it. */
function scratchOf(commands: readonly Command[], results: ReadonlySet<Storage>): { sizes: number[]; slot: Map<Storage, number> } {
  const { sizes, slot } = place(commands, results);
  const resultSlots = new Set([...results].map((s) => slot.get(s)));
  const kept = sizes.flatMap((_, i) => (resultSlots.has(i) ? [] : [i]));
  const index = new Map(kept.map((i, k) => [i, k]));
  const scratch = [...slot].flatMap(([s, i]) => (index.has(i) ? [[s, index.get(i)!] as const] : []));
  return { sizes: kept.map((i) => sizes[i]), slot: new Map(scratch) };
}

/** The commands of a step with the scratch that they need; `around` are the bytes of what is there anyway. */
export function placed(trace: readonly Command[], results: ReadonlySet<Storage>, inputs: readonly Storage[], around: number) {
  const [joined, apart] = [true, false].map((joins) => {
    const commands = elideCopies(trace, results, joins);
    const all = scratchOf(commands, results);
    // At most a quarter more memory for what need not be computed again.
    const parts = partSteady(commands, new Set([...inputs, ...results]), (around + sum(all.sizes)) / 4);
    return { parts, ...scratchOf([...parts.first, ...parts.each], new Set([...results, ...parts.kept])) };
  });
  // Values that are made side by side save copies, and mostly memory; where they do not, all of it is there as early as the first of them: at most an eighth more.
  const [more, all] = [sum(joined.sizes) - sum(apart.sizes), around + sum(apart.sizes)];
  return more <= all / 8 ? joined : apart;
}

const calls = (commands: readonly Command[]) => commands.flatMap((c) => (c.kind === "run" && c.call.params ? [c.call] : []));
/** Uniforms of all commands. */
export const uniformBytes = (commands: readonly Command[]): number => Math.max(1, calls(commands).length) * alignment;

export function uniformsOf({ gpu }: Device, commands: readonly Command[]): GPUBuffer {
  const words = new Uint32Array(uniformBytes(commands) / 4);
  calls(commands).forEach((call, i) => words.set(call.params!, (i * alignment) / 4));
  const buffer = gpu.createBuffer({ label: "plan uniforms", size: words.byteLength, usage: usage.uniform | usage.copyDst });
  gpu.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

/** What replays each command, with bind groups made once. `memory` tells where a storage of the trace is. */
export function encoded(
  { eager, gpu, pipelines }: Device,
  commands: readonly Command[],
  memory: (storage: Storage) => GPUBuffer,
  uniforms: GPUBuffer,
): (() => void)[] {
  const resource = ({ storage, offset, bytes }: Region) => ({ buffer: memory(storage), offset, size: bytes });
  let next = 0;
  return commands.map((command): (() => void) => {
    if (command.kind === "copy") {
      const from = resource(command.source);
      const to = resource(command.target);
      const { count, bytes, pitch } = command.source.runs ?? { count: 1, bytes: from.size, pitch: 0 };
      const apart = command.target.runs?.pitch ?? 0;
      return () => {
        for (let i = 0; i < count; i++)
          eager.copyBuffer(from.buffer, from.offset + i * pitch, to.buffer, to.offset + i * apart, bytes);
      };
    }
    const { call } = command;
    const { pipeline, layout } = pipelines.get(call);
    const entries: GPUBindGroupEntry[] = command.regions.map((r, i) => ({
      binding: i + 1,
      resource: { ...resource(r), size: boundBytes(r.bytes) },
    }));
    if (call.params) {
      entries.unshift({ binding: 0, resource: { buffer: uniforms, offset: alignment * next++, size: paramBytes(call.params) } });
    }
    const group = gpu.createBindGroup({ layout, entries });
    const [x, y, z] = call.workgroups;
    return () => {
      const pass = eager.compute(call.program.key);
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y, z);
      eager.count.dispatches++;
    };
  });
}
