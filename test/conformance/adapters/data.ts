/** @file Conformance adapters of src/data: random sources, synthetic images, transforms. */
import { RandomState, type RandomSource } from "../../../src/host/random/numpy.ts";
import { ReplaySource, type Draw } from "../../lib/replay.ts";
import { createTestImage2d, createTestImage3d, type TestImageOptions } from "../../../src/data/synthetic.ts";
import { rescale } from "../../../src/data/transforms/intensity/arithmetic.ts";
import { difference, expectKnown, NotCovered, type Adapters, type Case } from "../format.ts";
import { optionNames } from "../transform_options.ts";
import { camel } from "../../lib/names.ts";

type Args = Record<string, any>;

/** Upstream options that change nothing here. */
const IGNORED = new Set(["lazy", "call", "seed", "draws", "config", "image"]);

/** Upstream option names to voxgrad's: snake_case to camelCase, tensors to lists, None to undefined, dtype names that exist. */
function options(test: Case, nullable: readonly string[] = []): Args {
  const merged: Args = { ...test.args, ...test.args.config, ...test.args.call };
  expectKnown(test.op, merged, [...IGNORED, ...optionNames(test.op)]);
  const out: Args = {};
  for (const [key, value] of Object.entries(merged)) {
    if (IGNORED.has(key) || (value === null && !nullable.includes(key))) continue;
    const name = camel(key);
    out[name] = key === "dtype" ? dtypeName(value) : plain(value);
  }
  return out;
}

export function dtypeName(dtype: string | null): string | null {
  if (dtype !== null && /float16|complex/.test(dtype)) throw new NotCovered(dtype);
  return dtype === "int64" ? "int32" : dtype === "bool" ? "uint8" : dtype;
}

/** Lists in place of small tensors. */
export function plain(value: any): any {
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value?.data)) return value.shape.length === 0 ? value.data[0] : Array.from(value.data as Float64Array);
  return value;
}

/** Whether a draw was logged with its values; numpy's shuffle has no result, and of what it shuffled only positions can be replayed. */
export function replayable([method, , result]: Draw): boolean {
  if (typeof result === "string" || result === null || result === undefined) return false;
  return method !== "shuffle" || [...(result as number[])].sort((a, b) => a - b).every((v, i) => v === i);
}

/**
 * Runs with numpy's generator from the seed, and again with the recorded draws replayed: both must give the same (within the case's tolerance, since
 * bounds that upstream computed in float32 differ in the last bits), and the replay must use the whole log. A log of a generator that was not seeded for the
 * call, or had been drawn from, stands alone.
 */
export function random(test: Case, run: (source: RandomSource | number) => unknown): unknown {
  const { seed } = test.args;
  const seeded = seed === undefined ? undefined : run(seed);
  const draws = (test.args.draws as Draw[] | undefined)?.map(([m, a, r]) => [m, plain(a), plain(r)] as const);
  if (!draws?.every(replayable)) {
    if (seed === undefined) throw new NotCovered("draws without their values, and no seed");
    return seeded;
  }
  const replay = new ReplaySource(draws);
  const replayed = run(replay);
  const why = seed !== undefined && difference(replayed, seeded, test.tolerance);
  if (why || replay.remaining > 0)
    throw new Error(`replay differs from the seeded run: ${why || `${replay.remaining} draws left`}`);
  return replayed;
}

function testImage(test: Case): unknown {
  const { size, randomStateSeed, ...rest } = options(test);
  const o = { ...rest, randomState: new RandomState(randomStateSeed) } as TestImageOptions;
  const [h, w, d] = size as number[];
  const { image, label } = d === undefined ? createTestImage2d(h, w, o) : createTestImage3d(h, w, d, o);
  return { image, labels: label };
}

function numpySequence({ args }: Case): unknown {
  const r = new RandomState(args.seed);
  const times = <T>(n: number, f: () => T): T[] => Array.from({ length: n }, f);
  const order = [
    "rand(4)",
    "6x randint(10)",
    "6x randint(5,17)",
    "uniform(-2,3,3)",
    "normal(0,1,5)",
    "randint(0,100,5)",
    "choice(4,5,p=[.1,.2,.3,.4])",
  ];
  order.push("shuffle(list(range(10)))", "permutation(7)", "choice(8,4,replace=False)", "random_sample()");
  if (JSON.stringify(args.order) !== JSON.stringify(order)) throw new NotCovered("another order of calls");
  return {
    rand: r.rand(4),
    randint_10: times(6, () => r.randint(10)),
    randint_5_17: times(6, () => r.randint(5, 17)),
    "uniform_-2_3": r.uniform(-2, 3, 3),
    normal: r.normal(0, 1, 5),
    randint_size: r.randint(0, 100, 5),
    choice_5_p: r.choice(4, 5, { p: [0.1, 0.2, 0.3, 0.4] }),
    shuffle_range10: shuffled(r),
    permutation_7: r.permutation(7),
    choice_8_4_noreplace: r.choice(8, 4, { replace: false }),
    random_after: r.rand(),
  };
}

function shuffled(r: RandomState): number[] {
  const list = Array.from({ length: 10 }, (_, i) => i);
  r.shuffle(list);
  return list;
}

export const adapters: Adapters = {
  "numpy.RandomState.sequence": numpySequence,
  "monai.create_test_image_2d": testImage,
  "monai.create_test_image_3d": testImage,

  "monai.transforms.utils.rescale_array": ({ args, inputs }) => {
    const { minv = 0, maxv = 1 } = args;
    const data = new Float32Array(inputs.arr.data);
    rescale("rescale_array", data, minv, maxv);
    return { data, shape: inputs.arr.shape };
  },
};
