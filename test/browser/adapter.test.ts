/** @file A real Chromium with WebGPU: an adapter, a dispatch, a result. */

import { expect, test } from "vitest";
import { browserSite } from "../lib/browser_site.ts";

const site = browserSite();

test("Chromium gives a WebGPU adapter and computes", async () => {
  const page = await site.open();
  const squares = await page.evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Error("no adapter");
    const device = await adapter.requestDevice();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    const data = device.createBuffer({ size: 16, usage });
    const staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const code = `
      @group(0) @binding(0) var<storage, read_write> data: array<f32>;
      @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { data[i] = f32(i * i); }`;
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code }) } });
    const layout = pipeline.getBindGroupLayout(0);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: data } }] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(data, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return [...new Float32Array(staging.getMappedRange())];
  });
  expect(squares).toEqual([0, 1, 4, 9]);
});
