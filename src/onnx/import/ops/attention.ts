/** @file Attention: softmax(q · kᵀ · scale + mask) · v for each head, of operator set 23 on. */

import { matmul } from "../../../autograd/matmul.ts";
import * as f from "../../../autograd/pointwise.ts";
import { softmax } from "../../../autograd/softmax.ts";
import { concat, expand, permute, reshape } from "../../../autograd/view.ts";
import { showShape } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { isHost } from "../../values.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

/** `[batch, head, place, feature]` of what may be `[batch, place, head · feature]`. */
function heads(c: Call, i: number, attribute: string): Tensor {
  const x = c.float(i);
  if (x.rank === 4) return x;
  const count = c.int(attribute, 0);
  if (x.rank !== 3 || count < 1 || x.shape[2] % count !== 0)
    throw c.wrong(`input ${i} is ${showShape(x.shape)} with ${attribute} ${count}; expected [N, H, L, D] or [N, L, H·D]`);
  return permute(reshape(x, [x.shape[0], x.shape[1], count, x.shape[2] / count]), [0, 2, 1, 3]);
}

/** Each head as often as queries share it. */
function shared(c: Call, x: Tensor, count: number): Tensor {
  const [n, own, length, size] = x.shape;
  if (own === count) return x;
  if (count % own !== 0) throw c.wrong(`${count} heads of queries do not share ${own} of keys`);
  const split = reshape(x, [n, own, 1, length, size]);
  return reshape(expand(split, [n, own, count / own, length, size]), [n, count, length, size]);
}

/** What is added to the scores; truth values and numbers are alike on the device, so that a mask must be known. */
function mask(c: Call): Tensor | undefined {
  if (!c.has(3)) return undefined;
  const v = c.input(3);
  if (!isHost(v)) throw c.unsupported("an attn_mask that depends on the data");
  if (v.kind !== "bool") return c.float(3);
  return c.device.tensor({ data: Float32Array.from(v.data, (on) => (on ? 0 : -Infinity)), shape: v.shape });
}

/** −∞ where a key comes after its query. */
function causal(c: Call, queries: number, keys: number): Tensor {
  const data = new Float32Array(queries * keys);
  for (let q = 0; q < queries; q++) for (let k = q + 1; k < keys; k++) data[q * keys + k] = -Infinity;
  return c.device.tensor({ data, shape: [queries, keys] });
}

function attention(c: Call): Tensor[] {
  if (c.has(6)) throw c.unsupported("nonpad_kv_seqlen");
  if (c.has(4) && c.flag("is_causal")) throw c.unsupported("is_causal with earlier keys");
  if (c.int("left_window_size", -1) >= 0 || c.int("right_window_size", -1) >= 0) throw c.unsupported("a window of keys");
  if (c.node.outputs[3]) throw c.unsupported("the output of scores");
  const q = heads(c, 0, "q_num_heads");
  const joined = (i: number, past: number) => {
    const x = heads(c, i, "kv_num_heads");
    return c.has(past) ? concat([c.float(past), x], 2) : x;
  };
  const [keys, values] = [joined(1, 4), joined(2, 5)];
  const [k, v] = [keys, values].map((t) => shared(c, t, q.shape[1]));
  const scale = c.floatAttribute("scale", 1 / Math.sqrt(q.shape[3]));
  const plain = f.affine(matmul(q, k, { transposeB: true }), scale);
  const added = [mask(c), c.flag("is_causal") ? causal(c, q.shape[2], k.shape[2]) : undefined];
  const cap = c.floatAttribute("softcap", 0);
  const capped = cap > 0 ? f.affine(f.tanh(f.affine(plain, 1 / cap)), cap) : plain;
  const scores = added.reduce<Tensor>((sum, t) => (t ? f.add(sum, t) : sum), capped);
  const y = matmul(softmax(scores, 3), v);
  const [n, count, length, size] = y.shape;
  const out = c.shape(0).length === 4 ? y : reshape(permute(y, [0, 2, 1, 3]), [n, length, count * size]);
  return [out, keys, values];
}

export const operators: Operators = { Attention: { device: attention } };
