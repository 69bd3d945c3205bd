/** @file Running sums along an axis, in blocks whose sums are summed the same way. */

import { read, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPart } from "./lib/parts.ts";
import { bindable, rows } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { binary } from "./pointwise.ts";
import { reduceSum } from "./reduce.ts";
import { blockSumsShader } from "./shaders/cumsum/block_sums.gen.ts";
import { scanShader } from "./shaders/cumsum/scan.gen.ts";
import { type AroundAxis, aroundAxis } from "./softmax.ts";
import { joined } from "./view.ts";

// Terms that one thread adds: few enough for many threads and small errors, enough to make the levels few.
const blockSize = 64;

/** y[k] = x[0] + … + x[k] along `axis`, from the other end for `reverse`. Throws `ShapeError`, `DTypeError`. */
export function cumsum(x: Tensor, axis: number, reverse = false): Tensor {
  expectTensors("cumsum", { input: x });
  const around = aroundAxis("cumsum", x.shape, axis);
  const y = x.device.empty(x.shape);
  if (y.size === 0) return y;
  eachPart(
    "cumsum",
    { samples: around.outer, length: around.inner },
    [read(x), write(y)],
    ([from, to], { samples, length }) => scan(from, to, { ...around, outer: samples, inner: length }, reverse),
    ([from, to]) => scanLong(from, to, around, reverse),
  );
  return y;
}

function scan(x: Tensor, y: Tensor, { outer, axis: size, inner }: AroundAxis, reverse: boolean): void {
  const { device } = x;
  const blocks = Math.ceil(size / blockSize);
  const threads = outer * blocks * inner;
  const shared = {
    consts: { BLOCK: blockSize },
    params: { axis: size, inner, blocks, reverse: reverse ? 1 : 0, count: threads },
    workgroups: grid(device, "cumsum", threads, 64),
  };
  let sums: Tensor | undefined;
  if (blocks > 1) {
    const own = device.empty([outer, blocks, inner]);
    device.run(blockSumsShader({ ...shared, bind: { x, y: write(own) } }));
    sums = cumsum(own, 1);
    own.dispose();
  }
  // One block has nothing before it and reads no sums.
  device.run(scanShader({ ...shared, bind: { x, sums: sums ?? x, y: write(y) } }));
  sums?.dispose();
}

// One row of an axis that is over the binding limit: its parts on their own, each with the sum of those before it added.
function scanLong(x: Tensor, y: Tensor, { axis: size, inner }: AroundAxis, reverse: boolean): void {
  const parts = { length: size, rest: inner };
  const totals: Tensor[] = [];
  eachPart("cumsum", parts, [read(x)], ([from], { length }) => {
    const view = from.view([length, inner]);
    totals.push(reduceSum(view, [0], true));
    view.dispose();
  });
  const all = joined(totals, 0);
  const running = cumsum(all, 0, reverse);
  all.dispose();
  let next = 0;
  eachPart("cumsum", parts, [read(x), write(y)], ([from, to], { length }) => {
    const before = reverse ? next + 1 : next - 1;
    next++;
    if (before < 0 || before >= totals.length) return scan(from, to, { outer: 1, axis: length, inner }, reverse);
    const own = x.device.empty([length, inner]);
    scan(from, own, { outer: 1, axis: length, inner }, reverse);
    const offset = bindable(rows(running, before, 1), "read");
    const sum = binary("add", own, offset.tensor);
    offset.done();
    x.device.stream.copy(sum, to, 0);
    for (const t of [own, sum]) t.dispose();
  });
  running.dispose();
}
