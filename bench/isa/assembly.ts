/**
 * @file What one kernel compiled to: registers and residency as the driver reports them, and the mix of instructions in the loop that does the work.
 * The loop is the smallest one around the block with most multiply-adds that also loads from memory; the blocks in it are counted once each, so it has to be
 * unrolled to say something. Static figures rank kernels and show spills and missing reuse; they are no timings.
 */

/** Figures of a kernel on one family of GPUs. */
export interface KernelFigures {
  /** Registers per lane. */
  readonly registers: number;
  /** Vector registers that went to memory, and bytes of scratch memory per lane. */
  readonly spills: number;
  readonly scratch: number;
  /** Bytes of shared memory per workgroup. */
  readonly shared: number;
  /** Subgroups that are resident in a SIMD unit together. */
  readonly resident: number;
  readonly loop?: LoopFigures;
}

export interface LoopFigures {
  readonly instructions: number;
  /** Multiply-adds as a part of all issue slots of the loop: what the kernel can reach of the peak before latency. */
  readonly share: number;
  /** Multiply-adds per lane, the ones of packed, dual and matrix instructions each counted. */
  readonly multiplyAdds: number;
  /** The part of them in packed or matrix instructions. */
  readonly packed: number;
  /** Bytes that a lane loads from memory for each of them. */
  readonly bytes: number;
  /** Instructions on shared memory for each. */
  readonly sharedAccesses: number;
}

type Kind = "multiply-add" | "memory" | "shared" | "scratch" | "other";

interface Instruction {
  readonly kind: Kind;
  readonly multiplyAdds: number;
  readonly packed: boolean;
  readonly bytes: number;
  readonly slots: number;
}

// A lane's part of a 16×16×16 product in subgroups of 32, and the instructions of other kinds that could be issued while it lasts (RDNA 3: 32 cycles in
// pairs of 16-lane halves).
const matrixMultiplyAdds = 128;
const matrixSlots = 16;

const widths: readonly (readonly [RegExp, number])[] = [
  [/(_b128|dwordx4)$/, 16],
  [/(_b96|dwordx3)$/, 12],
  [/(_b64|dwordx2)$/, 8],
  [/(_b32|dword)$/, 4],
  [/(16|short)/, 2],
  [/(8|byte)/, 1],
];

const isMultiplyAdd = (op: string): boolean => /^v_(dual_)?(pk_)?(fma|fmac|mad|mac)/.test(op) && !/[ui](16|24|32|64)/.test(op);

function instruction(text: string): Instruction {
  const [op] = text.split(" ", 1);
  const none = { multiplyAdds: 0, packed: false, bytes: 0, slots: 1 };
  if (op.startsWith("v_wmma")) {
    return { kind: "multiply-add", multiplyAdds: matrixMultiplyAdds, packed: true, bytes: 0, slots: matrixSlots };
  }
  if (text.split("::").some((part) => isMultiplyAdd(part.trim().split(" ", 1)[0]))) {
    const dual = text.split("::").filter((part) => isMultiplyAdd(part.trim().split(" ", 1)[0])).length;
    const packed = op.startsWith("v_pk_");
    return { ...none, kind: "multiply-add", multiplyAdds: packed ? 2 : dual, packed };
  }
  if (op.startsWith("v_dot2")) return { ...none, kind: "multiply-add", multiplyAdds: 2, packed: true };
  if (op.startsWith("ds_")) return { ...none, kind: "shared" };
  if (op.startsWith("scratch_")) return { ...none, kind: "scratch" };
  if (/^(global|buffer|flat)_/.test(op)) {
    const bytes = op.includes("_load") ? (widths.find(([form]) => form.test(op))?.[1] ?? 0) : 0;
    return { ...none, kind: "memory", bytes };
  }
  return { ...none, kind: "other" };
}

interface Block {
  readonly name: string;
  readonly instructions: Instruction[];
  readonly targets: string[];
}

function blocksOf(assembly: string): Block[] {
  const blocks: Block[] = [];
  for (const line of assembly.split("\n")) {
    const label = /^\s*(BB\d+):/.exec(line);
    if (label) blocks.push({ name: label[1], instructions: [], targets: [] });
    const text = line.split(";")[0].trim().replaceAll(/\s+/g, " ");
    // What LLVM's disassembler does not know yet is an instruction all the same: 16-bit moves and exchanges, of one word each.
    if (label || blocks.length === 0 || !/^([a-z]+_|\(invalid instruction\))/.test(text)) continue;
    const block = blocks.at(-1)!;
    block.instructions.push(instruction(text));
    const target = /^s_c?branch.* (BB\d+)$/.exec(text);
    if (target) block.targets.push(target[1]);
  }
  return blocks;
}

const total = (blocks: readonly Block[], of: (i: Instruction) => number): number =>
  blocks.reduce((sum, block) => sum + block.instructions.reduce((s, i) => s + of(i), 0), 0);

function loopOf(assembly: string): LoopFigures | undefined {
  const blocks = blocksOf(assembly);
  const work = blocks.map((block) => total([block], (i) => i.multiplyAdds));
  const hot = work.indexOf(Math.max(...work, 1));
  if (hot < 0) return undefined;
  const place = new Map(blocks.map(({ name }, i) => [name, i]));
  const loops = blocks
    .flatMap(({ targets }, end) => targets.map((target) => [place.get(target) ?? Infinity, end] as const))
    .filter(([start, end]) => start <= hot && hot <= end)
    .sort(([a, b], [c, d]) => b - a - (d - c));
  for (const [start, end] of loops) {
    const inside = blocks.slice(start, end + 1);
    if (total(inside, (i) => (i.kind === "memory" ? 1 : 0)) === 0) continue;
    const multiplyAdds = total(inside, (i) => i.multiplyAdds);
    return {
      instructions: total(inside, () => 1),
      share: total(inside, (i) => (i.kind === "multiply-add" ? i.slots : 0)) / total(inside, (i) => i.slots),
      multiplyAdds,
      packed: total(inside, (i) => (i.packed ? i.multiplyAdds : 0)) / multiplyAdds,
      bytes: total(inside, (i) => i.bytes) / multiplyAdds,
      sharedAccesses: total(inside, (i) => (i.kind === "shared" ? 1 : 0)) / multiplyAdds,
    };
  }
  return undefined;
}

/** The figures in what RADV prints about one kernel under `RADV_DEBUG=asm,shaderstats`. Throws if there are none. */
export function figuresOf(dump: string): KernelFigures {
  const stat = (name: string): number => {
    const value = new RegExp(`^${name}: (\\d+)`, "m").exec(dump)?.[1];
    if (value === undefined) throw new Error(`the driver does not say "${name}"`);
    return Number(value);
  };
  const loop = loopOf(dump);
  return {
    registers: stat("VGPRs"),
    spills: stat("Spilled VGPRs"),
    scratch: stat("Scratch size"),
    shared: stat("LDS size"),
    resident: stat("Subgroups per SIMD"),
    ...(loop && { loop }),
  };
}
