/** Asks Dawn for an adapter and prints what it gives as one line of JSON. Runs in its own process: a driver may crash. */
import { create } from "webgpu";

// Dawn's binding dies if the object from create() is collected while in use, so it hangs on globalThis.
globalThis.gpu = create([]);
const adapter = await globalThis.gpu.requestAdapter({ powerPreference: "high-performance" });
if (adapter) {
  const device = await adapter.requestDevice();
  const { vendor, architecture, device: name, description, isFallbackAdapter } = adapter.info;
  device.destroy();
  console.log(JSON.stringify({ vendor, architecture, name, description, isFallbackAdapter }));
}
process.exit(adapter ? 0 : 1);
