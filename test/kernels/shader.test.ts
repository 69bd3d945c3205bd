/** @file From what a kernel gives a shader by name to the call. That a forgotten or wrong name does not compile is checked by `tsc`, not when this runs. */

import { expect, test } from "vitest";
import { shader } from "../../src/kernels/lib/shader.ts";
import { fillShader } from "../../src/kernels/shaders/view/fill.gen.ts";
import { forwardShader } from "../../src/kernels/shaders/prelu/forward.gen.ts";
import { type Bound, update, write } from "../../src/tensor/kernel.ts";

const tensor = (bytes: number): Bound => ({ storage: {} as Bound["storage"], byteOffset: 0, bytes, shape: [bytes / 4] });
const [x, y, z] = [4, 8, 12].map(tensor);
const workgroups = [1, 1, 1] as const;

const all = shader(["one", "two"], {
  name: "test.all",
  params: { count: ["u32", 1, 0], size: ["i32", 4, 4], scale: ["f32", 1, 8], list: ["u32", 8, 12] },
  bind: { x: "read", y: "read_write", z: "read_write" },
  consts: ["TP"],
  overrides: { MODE: "needed", SIZE: "optional" },
  half: "option",
});

const params = { count: 2 ** 32 - 1, size: [1, -2, 3, 4] as const, scale: 0.5, list: [1, 2, 3, 4, 5, 6, 7, 8] };

test("bindings are in the order of the shader, words where its struct has them", () => {
  const { bindings, params: block } = all({
    half: false,
    bind: { z: update(z), y: write(y), x },
    overrides: { MODE: 1 },
    consts: { TP: 4 },
    params,
    workgroups,
  });
  expect(bindings).toEqual([
    { tensor: x, access: "read" },
    { tensor: y, access: "write" },
    { tensor: z, access: "readwrite" },
  ]);
  const max = 2 ** 32;
  expect([...block!]).toEqual([max - 1, 0, 0, 0, 1, max - 2, 3, 4, 0x3f000000, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("the key tells the constants, then the variant or the overrides, then the element type", () => {
  const base = { bind: { x, y: write(y), z: write(z) }, params, workgroups };
  const made = all({ ...base, half: true, consts: { TP: 8 }, overrides: { MODE: 1, SIZE: 64 } });
  expect(made.program.key).toBe("test.all TP8 MODE1 SIZE64 f16");
  expect(made.program.code).toBe("enable f16;\nalias E = f16;\nconst TP = 8u;\none\ntwo");
  expect(made.program.overrides).toEqual({ MODE: 1, SIZE: 64 });
  const named = all({ ...base, half: false, consts: { TP: 8 }, overrides: { MODE: 1 }, variant: "relu x4" });
  expect(named.program.key).toBe("test.all TP8 relu x4");
  expect(named.program.code).toBe("alias E = f32;\nconst TP = 8u;\none\ntwo");
});

test("a program is made once; two that share a key are refused", () => {
  const call = { bind: { y: write(y) }, params: { each: 1, count: 1, value: 0 }, workgroups };
  const [first, second] = [fillShader.word4({ ...call, variant: "test" }), fillShader.word4({ ...call, variant: "test" })];
  expect(first.program).toBe(second.program);
  expect(() => fillShader.word({ ...call, variant: "test" })).toThrow('two programs of view.fill have the key "view.fill test"');
  expect(fillShader.half4({ ...call, variant: "test" }).program.key).toBe("view.fill test f16");
});

test("a fragment with a twin is that where the device of the tensors adds in subgroups", () => {
  const twins = shader([{ plain: "shared", subgroups: "subgroupAdd" }, "body"], {
    name: "test.twins",
    bind: { y: "read_write" },
  });
  const on = (software: boolean, features: readonly string[], choice?: string) => {
    const choices = new Map(choice === undefined ? [] : [["tree", choice]]);
    const device = { software, gpu: { features: new Set(features) }, choices };
    return twins({ bind: { y: write({ ...y, device }) }, workgroups }).program;
  };
  const [plain, subgroups] = [on(false, []), on(false, ["subgroups"])];
  expect([plain.key, plain.code]).toEqual(["test.twins", "alias E = f32;\nshared\nbody"]);
  expect([subgroups.key, subgroups.code]).toEqual([
    "test.twins subgroups",
    "enable subgroups;\nalias E = f32;\nsubgroupAdd\nbody",
  ]);
  expect(on(true, ["subgroups"])).toBe(plain); // slower there
  expect(on(true, ["subgroups"], "subgroups")).toBe(subgroups);
  expect(on(false, ["subgroups"], "plain")).toBe(plain);
  expect(on(false, [], "subgroups")).toBe(plain);
  expect(twins({ bind: { y: write(y) }, workgroups }).program).toBe(plain);
});

test("a list that does not fill its field is refused", () => {
  const call = { half: false, bind: { x, y: write(y), z: write(z) }, overrides: { MODE: 1 }, consts: { TP: 1 }, workgroups };
  expect(() => all({ ...call, params: { ...params, list: [1, 2] } })).toThrow(
    new RangeError("test.all: list has 8 words, got 2"),
  );
});

const preluShader = forwardShader.scalar;
const prelu = {
  half: false,
  params: { each: 1, count: 1, inner: 1, slopes: 1, start: 0 },
  bind: { x, slope: y, y: write(z) },
  workgroups,
};
const fill = { params: { each: 1, count: 1, value: 0 }, bind: { y: write(y) }, workgroups };
const rest = { half: false, params, bind: { x, y: write(y), z: write(z) }, workgroups };

/** Never called: each line after a note has a mistake and must not compile, the others must. */
export const mistakes = [
  () => [preluShader(prelu), fillShader.word(fill), all({ ...rest, consts: { TP: 1 }, overrides: { MODE: 1 } })],
  // @ts-expect-error a word is forgotten
  () => preluShader({ ...prelu, params: { each: 1, count: 1, inner: 1, slopes: 1 } }),
  // @ts-expect-error a word that the shader does not have
  () => preluShader({ ...prelu, params: { each: 1, count: 1, inner: 1, slopes: 1, start: 0, end: 1 } }),
  // @ts-expect-error a list for a word
  () => preluShader({ ...prelu, params: { each: 1, count: [1], inner: 1, slopes: 1, start: 0 } }),
  // @ts-expect-error a binding is forgotten
  () => preluShader({ ...prelu, bind: { x, y: write(z) } }),
  // @ts-expect-error a binding of another name
  () => preluShader({ ...prelu, bind: { x, slope: y, result: write(z) } }),
  // @ts-expect-error one binding too many
  () => preluShader({ ...prelu, bind: { x, slope: y, y: write(z), dy: y } }),
  // @ts-expect-error what is written is not marked
  () => preluShader({ ...prelu, bind: { x, slope: y, y: z } }),
  // @ts-expect-error what is only read is marked
  () => preluShader({ ...prelu, bind: { x: write(x), slope: y, y: write(z) } }),
  // @ts-expect-error the element type of arrays of E is not told
  () => preluShader({ params: prelu.params, bind: prelu.bind, workgroups }),
  // @ts-expect-error f16 is no option of a shader of words
  () => fillShader.word({ ...fill, half: true }),
  // @ts-expect-error a fragment has to be chosen
  () => fillShader(fill),
  // @ts-expect-error the shader has no constants
  () => fillShader.word({ ...fill, consts: { TP: 1 } }),
  // @ts-expect-error a constant of the prelude is forgotten
  () => all({ ...rest, consts: {}, overrides: { MODE: 1 } }),
  // @ts-expect-error an override without a default is forgotten
  () => all({ ...rest, consts: { TP: 1 }, overrides: { SIZE: 1 } }),
  // @ts-expect-error three numbers for a vector of four
  () => all({ ...rest, consts: { TP: 1 }, overrides: { MODE: 1 }, params: { ...params, size: [1, 2, 3] } }),
];
