/** @file Figures of a kernel from what the driver prints, and the table of them read again. */

import { expect, test } from "vitest";
import { figuresOf } from "../../bench/isa/assembly.ts";
import { readTable, showTable } from "../../bench/isa/table.ts";

const stats = "VGPRs: 60\nSpilled VGPRs: 2\nScratch size: 16\nLDS size: 512\nSubgroups per SIMD: 24\n";

const dump = (body: string) =>
  `Compute Shader\ndisasm:\nBB0:\n\ts_mov_b32 s0, 0   ; be800080\n${body}\n\n*** SHADER STATS ***\n${stats}`;

// An outer loop that loads, around a hot block with a branch to itself.
const nested = dump(`BB1:
	buffer_load_b128 v[0:3], v4, s[4:7], 0 offen                ; e0540000
	global_load_u16 v5, v[6:7], off
	s_waitcnt vmcnt(0)
	ds_store_b128 v8, v[0:3]
BB2:
	ds_load_b128 v[0:3], v8
	v_fmac_f32_e32 v10, v0, v1
	v_dual_fmac_f32 v11, v0, v2 :: v_dual_fmac_f32 v12, v0, v3
	v_pk_fma_f16 v13, v0, v1, v13
	v_mad_u32_u24 v14, v0, v1, v2
	s_cbranch_scc1 BB2
BB3:
	s_cbranch_vccnz BB1
BB4:
	buffer_store_b32 v10, v0, s[4:7], 0 offen
	s_endpgm`);

test("the loop is the smallest around the hot block that loads from memory", () => {
  expect(figuresOf(nested)).toEqual({
    registers: 60,
    spills: 2,
    scratch: 16,
    shared: 512,
    resident: 24,
    loop: { instructions: 11, share: 3 / 11, multiplyAdds: 5, packed: 2 / 5, bytes: 18 / 5, sharedAccesses: 2 / 5 },
  });
});

test("matrix instructions count what they take and give", () => {
  const loop = dump(
    "BB1:\n\tglobal_load_b64 v[0:1], v2, s[0:1]\n\tv_wmma_f32_16x16x16_f16 v[8:15], v[0:7], v[16:23], v[8:15]\n\ts_cbranch_scc1 BB1",
  );
  expect(figuresOf(loop).loop).toMatchObject({ instructions: 3, share: 16 / 18, multiplyAdds: 128, packed: 1, bytes: 8 / 128 });
});

test("what the disassembler does not know is counted too", () => {
  const loop = dump(
    "BB1:\n\tglobal_load_b64 v[0:1], v2, s[0:1]\n(invalid instruction)   ; 7e18cd90\n\tv_fmac_f32_e32 v1, v0, v1\n\ts_cbranch_scc1 BB1",
  );
  expect(figuresOf(loop).loop).toMatchObject({ instructions: 4, share: 1 / 4 });
});

test("without multiply-adds there is no loop, and without figures an error", () => {
  expect(figuresOf(dump("\ts_endpgm")).loop).toBeUndefined();
  expect(() => figuresOf("disasm:")).toThrow('the driver does not say "VGPRs"');
});

test("a table is read as it was written", () => {
  const figures = figuresOf(nested);
  const { loop: _, ...plain } = figures;
  const page = showTable([
    { kernel: "conv.gather TP4 TC8", family: "navi31", source: "0a", figures },
    { kernel: "view.copy", family: "vega10", source: "1b", figures: plain },
  ]);
  expect(readTable(`# Title\n\n${page}\n`)).toEqual([
    { kernel: "conv.gather TP4 TC8", family: "navi31", spills: 18, loop: 27, source: "0a" },
    { kernel: "view.copy", family: "vega10", spills: 18, loop: undefined, source: "1b" },
  ]);
});
