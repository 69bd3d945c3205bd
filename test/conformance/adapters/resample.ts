/** @file torch's pooling, interpolation and grid sampling on the GPU, with the gradients where a case has them. */
import {
  type Device,
  grad,
  gridSample,
  interpolate,
  maxPoolWithIndices,
  maxUnpool,
  mul,
  openDevice,
  scope,
  sum,
  type Tensor,
} from "../../../src/index.ts";
import type { HostArray } from "../../../src/tensor/host.ts";
import { type Adapter, type Adapters, NotCovered, wave } from "../format.ts";

let opened: Promise<Device> | undefined;
const device = () => (opened ??= openDevice());
export const close = async () => (await opened)?.close();

type Results = Readonly<Record<string, Tensor>>;

const read = async (tensors: Results): Promise<Record<string, HostArray>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(tensors).map(async ([name, t]) => [name, { data: await t.data(), shape: t.shape }] as const),
    ),
  );

/** The result of `run`, and the gradients of Σ out · wave(1, 0.53, 1) for the inputs that the case names. */
function operation(
  names: Readonly<Record<string, readonly string[]>>,
  run: (inputs: Results, args: any) => { out: Tensor; indices?: Tensor },
): Adapter {
  return async ({ args, inputs, expected }) => {
    for (const key of Object.keys(args)) if (!(key in names)) throw new NotCovered(`option ${key}`);
    const options: Record<string, unknown> = {};
    for (const [key, [name] = []] of Object.entries(names))
      if (name && (args[key] ?? null) !== null) options[name] = plain(args[key]);
    const dev = await device();
    const { grads, ...results } = scope(() => {
      const tensors = Object.fromEntries(
        Object.entries<HostArray>(inputs).map(([name, h]) => [name, dev.tensor(h, name === "indices" ? "i32" : "f32")]),
      );
      const wanted = Object.keys(expected.grads ?? {});
      for (const name of wanted) tensors[name].requiresGrad = true;
      const { out, indices } = run(tensors, options);
      const probe = dev.tensor(wave({ shape: [...out.shape], a: 1, b: 0.53, c: 1, d: 0 }));
      const gradients =
        wanted.length > 0
          ? grad(
              sum(mul(out, probe)),
              wanted.map((name) => tensors[name]),
            )
          : [];
      return { out, ...(indices ? { indices } : {}), grads: Object.fromEntries(wanted.map((name, i) => [name, gradients[i]])) };
    });
    return { ...(await read(results as Results)), grads: await read(grads) };
  };
}

/** A list where the case has an array. */
const plain = (v: any): any =>
  ArrayBuffer.isView(v?.data) ? (v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array)) : v;

const resized = operation(
  { size: ["size"], scale_factor: ["scaleFactor"], mode: ["mode"], align_corners: ["alignCorners"] },
  ({ x }, o) => ({ out: interpolate(x, o) }),
);

export const adapters: Adapters = {
  "op.max_pool2d": operation(
    {
      kernel: ["kernelSize"],
      kernel_size: ["kernelSize"],
      stride: ["stride"],
      padding: ["padding"],
      dilation: ["dilation"],
      ceil_mode: ["ceilMode"],
      ties: [], // says what the input is like
    },
    ({ x }, o) => {
      const { output, indices } = maxPoolWithIndices(x, o);
      return { out: output, indices };
    },
  ),
  "op.max_unpool2d": operation(
    {
      kernel: ["kernelSize"],
      kernel_size: ["kernelSize"],
      stride: ["stride"],
      padding: ["padding"],
      output_size: ["outputSize"],
    },
    ({ x, indices }, o) => ({ out: maxUnpool(x, indices, o) }),
  ),
  "op.interpolate": resized,
  "op.interpolate3d": resized,
  "op.grid_sample": operation(
    { mode: ["mode"], padding_mode: ["paddingMode"], align_corners: ["alignCorners"] },
    ({ x, grid }, o) => ({ out: gridSample(x, grid, o) }),
  ),
};
