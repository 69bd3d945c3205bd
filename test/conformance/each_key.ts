/** @file MONAI's dictionary forms, `FlipD`, `Flipd` and `FlipDict` of `Flip`: they act on each of their keys with one draw. */
import type { Adapter, Case } from "./format.ts";

/** What tells a dictionary form where its arrays are, and no transform anything. */
export const keyOptions = "keys meta_keys meta_key_postfix allow_missing_keys";

const isRecord = (v: any): boolean => typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v.data);

/** What the names of dictionary forms end in. */
const form = /(?:d|D|Dict)$/;

/** Options of dictionary forms that say what an entry that they add is called, or whether it replaces another. */
const naming =
  "bbox_key_postfix indices_postfix fg_postfix bg_postfix new_key_prefix start_coord_key end_coord_key overwrite".split(" ");

/** What dictionary forms put beside an array in place of changing it: the names of their results. */
const beside: Readonly<Record<string, (key: string, args: Case["args"]) => readonly string[]>> = {
  BoundingRect: (key, a) => [`${key}_${a.bbox_key_postfix ?? "bbox"}`],
  ClassesToIndices: (key, a) => [key + (a.indices_postfix ?? "_cls_indices")],
  ComputeHoVerMaps: (key, a) => [(a.new_key_prefix ?? "hover_") + key],
  FgBgToIndices: (key, a) => [key + (a.fg_postfix ?? "_fg_indices"), key + (a.bg_postfix ?? "_bg_indices")],
};

/** An adapter that, for a dictionary form, works on each key of the case; a case that expects an array is about the one that it gives. */
export const eachKey =
  (adapter: Adapter): Adapter =>
  async (test, context) => {
    const { op, expected, inputs, args } = test;
    if (!form.test(op) || !isRecord(expected)) return adapter(test, context);
    const keys = (
      args.keys === undefined ? Object.keys("error" in expected ? inputs : expected) : [args.keys].flat()
    ) as string[];
    // What the constructor refuses needs no arrays.
    if (Object.keys(inputs).length === 0) return adapter({ ...test, args: optionsAt(args, 0) }, context);
    // Other entries are passed on.
    const out: Record<string, unknown> = { ...inputs };
    const names = beside[op.split(".").at(-1)!.replace(form, "")];
    for (const [i, key] of keys.entries()) {
      if (!(key in inputs) && args.allow_missing_keys) continue;
      const others = Object.entries(named).flatMap(([option, name]) =>
        args[option] ? [[name, inputs[args[option]]] as const] : [],
      );
      const added = names?.(key, args);
      const affine = inputs[`${key}_affine`] && { affine: inputs[`${key}_affine`] };
      const one: Case = {
        ...test,
        args: optionsAt(args, i),
        inputs: { img: inputs[key], ...Object.fromEntries(others), ...affine },
        expected: expected[added?.[0] ?? key],
      };
      const result = await adapter(one, context);
      if (!added) out[key] = result;
      else added.forEach((name, n) => (out[name] = added.length === 1 ? result : (result as unknown[])[n]));
    }
    return out;
  };

/** Options of which each key may have its own. */
const perKey = new Set(
  "mode padding_mode align_corners dtype sigmoid softmax other argmax to_onehot threshold rounding kernel_type".split(" "),
);

/** The options of the array form for the i-th key. */
const optionsAt = (args: Case["args"], i: number): Case["args"] =>
  Object.fromEntries(
    Object.entries(args)
      .filter(([name]) => !naming.includes(name) && !Object.hasOwn(named, name))
      .map(([name, value]) => [renamed[name] ?? name, perKey.has(name) && Array.isArray(value) ? value[i] : value]),
  );

/** Options that name an entry, by what the array form calls the array. */
const named: Readonly<Record<string, string>> = { image_key: "image", mask_key: "mask", label_key: "label", w_key: "weight_map", dst_keys: "dst_affine", key_dst: "img_dst" }; // oxfmt-ignore

/** Options that upstream spells otherwise in the dictionary form. */
const renamed: Readonly<Record<string, string>> = { kernel: "filter", kernel_size: "filter_size" };
