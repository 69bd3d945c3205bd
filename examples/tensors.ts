/** Tensors and gradients: `node examples/tensors.ts` fits a line to points by hand-written gradient descent, then by Adam in a captured step. */
import { add, capture, grad, mean, mul, openDevice, parameter, scope, square, sub, type Tensor } from "voxgrad";
import { Adam } from "voxgrad/nn";

const device = await openDevice(); // Dawn in Node, navigator.gpu in a browser
console.log(device.name);

// Tensors are contiguous arrays on the device: upload, compute, read back.
const x = device.tensor({ data: Float32Array.from({ length: 100 }, (_, i) => i / 50 - 1), shape: [100] });
const y = add(mul(x, 3), 0.5);
console.log(String(y), (await y.data()).slice(0, 3)); // f32 [100] …

// What a gradient is wanted for is a parameter; `scope` frees what is made inside of it.
let slope = parameter(device.tensor({ data: [0], shape: [1] }));
const loss = (a: Tensor, b: Tensor): Tensor => mean(square(sub(add(mul(x, a), b), y)));
const zero = device.tensor({ data: [0.5], shape: [1] });
for (let i = 0; i < 50; i++) {
  const next = scope(() => {
    const [g] = grad(loss(slope, zero), [slope]);
    return sub(slope, mul(g, 0.5));
  });
  slope.dispose();
  slope = parameter(next);
}
console.log("slope", (await slope.item()).toFixed(3)); // 3.000

// The same with an optimizer, in a step that is traced once and then replayed: one submit, nothing allocated.
const a = parameter(device.tensor({ data: [0], shape: [1] }));
const b = parameter(device.tensor({ data: [0], shape: [1] }));
const adam = new Adam([a, b], { lr: 0.1 });
const step = capture(device, () => {
  const value = loss(a, b);
  adam.minimize(value);
  return value;
});
let last = Infinity;
for (let i = 0; i < 200; i++) last = await step().item();
console.log(
  "loss",
  last < 1e-3 ? "below 0.001" : last,
  "slope",
  (await a.item()).toFixed(2),
  "offset",
  (await b.item()).toFixed(2),
);
device.close();
