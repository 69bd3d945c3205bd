/** @file Conformance adapters of points and boxes, and of what makes arrays of other values. */
import * as D from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import type { Matrix } from "../../../src/host/matrix.ts";
import { type Adapter, type Adapters, type Case, expectKnown, NotCovered } from "../format.ts";
import { dtypeName, plain } from "./data.ts";

type Args = Record<string, any>;

/** The arguments of a case, those of the call over those of the constructor, None left out; and the input. */
function given(test: Case, known: string): { x: any; options: Args } {
  const { call, ...args } = test.args;
  const { data, img, boxes, ...more } = test.inputs;
  const all: Args = { ...args };
  for (const [key, value] of Object.entries({ ...(call as Args), ...more })) if (value !== null) all[key] = value;
  expectKnown(test.op, all, known.split(" "));
  return { x: data ?? img ?? boxes, options: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) };
}

function matrixOf(value: HostArray | undefined): Matrix | null {
  if (!value) return null;
  const rows = value.shape[0];
  const columns = value.data.length / rows;
  return Array.from({ length: rows }, (_, r) => Array.from(value.data.subarray(r * columns, (r + 1) * columns)));
}

const dtypeOf = (options: Args): any => (options.dtype === undefined ? null : dtypeName(String(options.dtype)));

/** MONAI's tensors and NumPy's arrays are one thing here. */
const ensureType: Adapter = (test) => {
  const { x, options } = given(test, "data_type dtype device wrap_sequence track_meta");
  if (!["tensor", "numpy"].includes(String(options.data_type ?? "tensor").toLowerCase()))
    throw new NotCovered(options.data_type as string);
  return new D.EnsureType({ dtype: dtypeOf(options), wrapSequence: options.wrap_sequence ?? true }).apply(x);
};

export const adapters: Adapters = {
  "monai.transforms.EnsureType": ensureType,
  "monai.transforms.ToTensor": ensureType,
  "monai.transforms.ToNumpy": ensureType,
  "monai.transforms.ApplyTransformToPoints": (test) => {
    const { x, options } = given(test, "dtype affine invert_affine affine_lps_to_ras");
    const t = new D.ApplyTransformToPoints({
      dtype: dtypeOf(options),
      invertAffine: options.invert_affine ?? true,
      affineLpsToRas: options.affine_lps_to_ras ?? false,
    });
    return t.apply(x, matrixOf(options.affine));
  },
  "monai.transforms.utils.apply_affine_to_points": (test) => {
    const { x, options } = given(test, "affine dtype");
    return D.applyAffineToPoints(x, matrixOf(options.affine)!, dtypeOf(options));
  },
  "monai.transforms.ConvertBoxToPoints": (test) => {
    const { x, options } = given(test, "mode");
    return new D.ConvertBoxToPoints(options).apply(x);
  },
  "monai.transforms.ConvertPointsToBoxes": (test) => {
    return new D.ConvertPointsToBoxes().apply(given(test, "").x);
  },
  "monai.data.box_utils.convert_box_mode": (test) => {
    const { x, options } = given(test, "src_mode dst_mode");
    return D.convertBoxMode(x, options.src_mode, options.dst_mode);
  },
  "monai.data.box_utils.convert_box_to_standard_mode": (test) => {
    const { x, options } = given(test, "mode");
    return D.convertBoxMode(x, options.mode, x.shape[1] === 4 ? "xyxy" : "xyzxyz");
  },
  "monai.transforms.utils.soft_clip": (test) => {
    const { arr, ...inputs } = test.inputs;
    const { options } = given({ ...test, inputs }, "sharpness_factor minv maxv dtype");
    const { sharpness_factor: sharpnessFactor, minv, maxv } = options;
    return D.softClip(arr, { sharpnessFactor, minv: plain(minv), maxv: plain(maxv), dtype: dtypeOf(test.args) ?? "float32" });
  },
  "monai.transforms.utils.equalize_hist": (test) => {
    const { img, mask, ...inputs } = test.inputs;
    const { num_bins: numBins, min, max } = given({ ...test, inputs }, "num_bins min max").options;
    return new D.HistogramNormalize({ numBins, min, max, dtype: "float64" }).apply(img, mask ?? null);
  },
};
