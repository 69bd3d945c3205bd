/** @file Compiled pipelines by their readable key. Dawn in Node keeps no cache of its own, so this is the cache. */

import { WebGPUError } from "../host/errors.ts";
import type { Binding, KernelCall, Program } from "./kernel.ts";
import type { GPUBindGroupLayout, GPUComputePipeline, GPUDevice } from "./webgpu.ts";

const computeStage = 4;

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

function numbered(code: string): string {
  return code
    .split("\n")
    .map((line, i) => `${String(i + 1).padStart(4)} ${line}`)
    .join("\n");
}

export class PipelineCache {
  private readonly gpu: GPUDevice;
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  private readonly programs = new Map<string, Program>();
  private readonly ready = new Map<string, Pipeline>();
  private readonly pending = new Map<string, Promise<Pipeline>>();

  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
  }

  get size(): number {
    return this.ready.size;
  }

  /** Whether the pipeline of a call was made. */
  has(call: KernelCall): boolean {
    return this.ready.has(call.program.key);
  }

  /** The pipeline of a call, compiled now if need be. */
  get(call: KernelCall): Pipeline {
    const { program } = call;
    const known = this.ready.get(program.key);
    if (known) return known;
    const layout = this.layout(call);
    const made = { layout, pipeline: this.gpu.createComputePipeline(this.describe(program, layout)) };
    this.ready.set(program.key, made);
    return made;
  }

  /** The same off the main thread, where the platform can. Throws `WebGPUError` with the numbered source if it does not compile. */
  async prepare(call: KernelCall): Promise<Pipeline> {
    const { program } = call;
    const known = this.ready.get(program.key) ?? this.pending.get(program.key);
    if (known) return known;
    const layout = this.layout(call);
    const promise = this.gpu.createComputePipelineAsync(this.describe(program, layout)).then(
      (pipeline) => {
        const made = { layout, pipeline };
        this.ready.set(program.key, made);
        return made;
      },
      (error: Error) => {
        throw new WebGPUError(`${program.key}: the shader did not compile: ${error.message}\n${numbered(program.code)}`);
      },
    );
    this.pending.set(program.key, promise);
    return promise.finally(() => this.pending.delete(program.key));
  }

  /** Adds the numbered source to a message of the device about a shader of ours. Dawn quotes labels once or twice. */
  explain(message: string): string {
    const label = /\[?ShaderModule(?:Descriptor)? "+([^"]+)"/.exec(message)?.[1];
    const program = this.programs.get(label ?? "");
    return program ? `${program.key}: the shader did not compile: ${message}\n${numbered(program.code)}` : message;
  }

  private describe(program: Program, layout: GPUBindGroupLayout): GPUComputePipelineDescriptor {
    this.programs.set(program.key, program);
    return {
      label: program.key,
      layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: {
        module: this.gpu.createShaderModule({ label: program.key, code: program.code }),
        entryPoint: "main",
        constants: program.overrides as Record<string, number> | undefined,
      },
    };
  }

  private layout(call: KernelCall): GPUBindGroupLayout {
    const uniform = call.params !== undefined;
    const key = (uniform ? "u" : "-") + call.bindings.map((b: Binding) => (b.access === "read" ? "r" : "w")).join("");
    let layout = this.layouts.get(key);
    if (!layout) {
      const entries: GPUBindGroupLayoutEntry[] = call.bindings.map((b, i) => ({
        binding: i + 1,
        visibility: computeStage,
        buffer: { type: b.access === "read" ? "read-only-storage" : "storage" },
      }));
      if (uniform) entries.unshift({ binding: 0, visibility: computeStage, buffer: { type: "uniform" } });
      layout = this.gpu.createBindGroupLayout({ entries });
      this.layouts.set(key, layout);
    }
    return layout;
  }
}
