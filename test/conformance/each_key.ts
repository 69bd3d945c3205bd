/** @file MONAI's dictionary forms, `FlipD`, `Flipd` and `FlipDict` of `Flip`: they act on each of their keys with one draw. */
import type { Adapter, Case } from "./format.ts";

/** What tells a dictionary form where its arrays are, and no transform anything. */
export const keyOptions = "keys meta_keys meta_key_postfix allow_missing_keys";

const isRecord = (v: any): boolean => typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v.data);

/** What the names of dictionary forms end in. */
const form = /(?:d|D|Dict)$/;

/** An adapter that, for a dictionary form, works on each key of the case; a case that expects an array is about the one that it gives. */
export const eachKey =
  (adapter: Adapter): Adapter =>
  async (test, context) => {
    const { op, expected, inputs, args } = test;
    if (!form.test(op) || !isRecord(expected) || "error" in expected) return adapter(test, context);
    const keys = (args.keys === undefined ? Object.keys(expected) : [args.keys].flat()) as string[];
    const out: Record<string, unknown> = {};
    for (const [i, key] of keys.entries()) {
      const own = Object.fromEntries(
        Object.entries(args).map(([name, value]) => [name, perKey.has(name) && Array.isArray(value) ? value[i] : value]),
      );
      const one: Case = { ...test, args: own, inputs: { ...without(inputs, keys), img: inputs[key] }, expected: expected[key] };
      out[key] = await adapter(one, context);
    }
    return out;
  };

/** Options of which each key may have its own. */
const perKey = new Set(["mode", "padding_mode", "align_corners", "dtype"]);

const without = (inputs: Case["inputs"], keys: readonly string[]): Case["inputs"] =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => !keys.includes(key)));
