/** @file PyTorch's operations that move elements, forward and with the gradient of Σ out · wave. */
import { grad, mul, openDevice, pad, sum, type Device, type PadMode, type Tensor } from "../../../src/index.ts";
import { type Adapter, type Adapters, wave } from "../format.ts";

let opened: Promise<Device> | undefined;
const device = () => (opened ??= openDevice());
export const close = async () => (await opened)?.close();

const host = async (t: Tensor) => ({ data: await t.data(), shape: t.shape });

/** Result and input gradient of an operation on one tensor. */
function moved(run: (x: Tensor, args: Record<string, any>) => Tensor): Adapter {
  return async ({ args, inputs }) => {
    const dev = await device();
    const x = dev.tensor(inputs.x);
    x.requiresGrad = true;
    const out = run(x, args);
    const probe = dev.tensor(wave({ shape: [...out.shape], a: 1, b: 0.53, c: 1, d: 0 }));
    const [dx] = grad(sum(mul(out, probe)), [x]);
    return { out: await host(out), grads: { x: await host(dx) } };
  };
}

export const adapters: Adapters = {
  "op.pad2d": moved((x, { pad: padding, mode, value }) =>
    pad(x, padding, { mode: mode as PadMode, ...(typeof value === "number" ? { value } : {}) }),
  ),
};
