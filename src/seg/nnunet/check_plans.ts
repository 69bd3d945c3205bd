/** @file What of nnU-Net's plans must hold before anything is computed by them: a file that was cut, edited or made by another program is named, not run. */

type Json = Readonly<Record<string, unknown>>;
type Fail = (problem: string) => Error;

export const isRecord = (v: unknown): v is Json => typeof v === "object" && v !== null && !Array.isArray(v);

const listOf = (fits: (v: unknown) => boolean) => (v: unknown) => Array.isArray(v) && v.length > 0 && v.every(fits);
const isCount = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) > 0;
const isLength = (v: unknown): boolean => typeof v === "number" && Number.isFinite(v) && v > 0;
const isText = (v: unknown): boolean => typeof v === "string";

/** Throws unless both are orders of three axes, each of which undoes the other. */
export function expectTransposes(forward: unknown, backward: unknown, fail: Fail): void {
  const undoes = (a: readonly unknown[], b: readonly unknown[]) => [0, 1, 2].every((axis) => b[a[axis] as number] === axis);
  if (!Array.isArray(forward) || !Array.isArray(backward) || forward.length !== 3 || !undoes(forward, backward))
    throw fail(
      `transpose_forward is ${JSON.stringify(forward)} and transpose_backward ${JSON.stringify(backward)}; expected two orders of the axes 0, 1, 2 that undo each other`,
    );
}

const arrays: Readonly<Record<string, readonly [fits: (v: unknown) => boolean, expected: string]>> = {
  patch_size: [listOf(isCount), "2 or 3 positive integers"],
  spacing: [listOf(isLength), "2 or 3 positive numbers"],
  normalization_schemes: [listOf(isText), "a list of names"],
  use_mask_for_norm: [listOf((v) => typeof v === "boolean"), "a list of true and false"],
  resampling_fn_data: [isText, "a name"],
};

const sizes = listOf(listOf(isCount));
const stages: Readonly<Record<string, readonly [fits: (v: unknown) => boolean, less: number]>> = {
  features_per_stage: [listOf(isCount), 0],
  kernel_sizes: [sizes, 0],
  strides: [sizes, 0],
  n_conv_per_stage: [listOf(isCount), 0],
  n_blocks_per_stage: [listOf(isCount), 0],
  n_conv_per_stage_decoder: [listOf(isCount), 1],
};

/** Throws unless a configuration has what prediction needs, in sizes that go together. */
export function expectConfiguration(name: string, configuration: object, fail: Fail): void {
  const c = configuration as Json;
  const wrong = (key: string, value: unknown, expected: string) =>
    fail(`configuration "${name}": ${key} is ${JSON.stringify(value)}; expected ${expected}`);
  for (const [key, [fits, expected]] of Object.entries(arrays)) {
    if (c[key] === undefined) throw fail(`configuration "${name}" lacks "${key}"`);
    if (!fits(c[key])) throw wrong(key, c[key], expected);
  }
  const [patch, spacing] = [c.patch_size, c.spacing] as number[][];
  const dims = patch.length;
  if (dims !== 2 && dims !== 3) throw wrong("patch_size", patch, "2 or 3 positive integers");
  if (spacing.length !== dims) throw wrong("spacing", spacing, `${dims} numbers, as patch_size has`);
  const kwargs = isRecord(c.architecture) ? c.architecture.arch_kwargs : undefined;
  if (!isRecord(kwargs)) throw wrong("architecture", c.architecture, "a record with arch_kwargs");
  if (!isCount(kwargs.n_stages)) throw wrong("n_stages", kwargs.n_stages, "a positive integer");
  const count = kwargs.n_stages as number;
  for (const [key, [fits, less]] of Object.entries(stages)) {
    const value = kwargs[key] as readonly unknown[] | undefined;
    if (value === undefined && /^n_(conv|blocks)_per_stage$/.test(key)) continue;
    if (!fits(value) || value!.length !== count - less)
      throw wrong(
        key,
        value,
        `a list of ${count - less} entries, one for each of ${count} stages${less > 0 ? " but the last" : ""}`,
      );
    if (fits === sizes && !(value as number[][]).every((v) => v.length === dims))
      throw wrong(key, value, `${dims} numbers for each stage, as patch_size has`);
  }
  for (const key of ["norm_op", "nonlin"]) if (!isText(kwargs[key])) throw wrong(key, kwargs[key], "the name of a class");
}
