/** @file Figures of all kernels on all families, compiled, as a table in Markdown, and read from it again. */

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digits, percent, table } from "../gpu/markdown.ts";
import { figuresOf, type KernelFigures } from "./assembly.ts";
import { environment, families, type Family } from "./driver.ts";

export interface Compiled {
  readonly kernel: string;
  readonly family: Family;
  /** Stands for all that the figures come of: text, constants, compiler, driver. */
  readonly source: string;
  readonly figures: KernelFigures;
}

interface Wanted {
  /** A pattern of keys. */
  readonly only?: string;
  /** A folder for what the driver printed of each kernel. */
  readonly keep?: string;
  /** Sources and keys, `<source> <key>`, that need no compiling, since their figures are known. */
  readonly known?: readonly string[];
}

/** Compiles kernels for a family. @returns the keys of all, and what those compiled to that are not known */
export function compileFor(
  family: Family,
  { only = "", keep, known = [] }: Wanted = {},
): { readonly kernels: string[]; readonly compiled: Compiled[] } {
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-isa-"));
  const [file, sources] = ["dump.txt", "known.txt"].map((name) => join(folder, name));
  try {
    writeFileSync(sources, known.join("\n"));
    const out = openSync(file, "w");
    const script = join(import.meta.dirname, "compile.ts");
    const { status } = spawnSync(process.execPath, ["--conditions=voxgrad-source", script, only, sources], {
      env: environment(family),
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    const [head, ...dumps] = readFileSync(file, "utf8").split(/^KERNEL /m);
    if (status !== 0 || !dumps.at(-1)?.startsWith("end\n")) {
      throw new Error(`compiling for ${family} ended with ${status}:\n${(dumps.at(-1) ?? head).slice(0, 4000)}`);
    }
    const kernels: string[] = [];
    const compiled: Compiled[] = [];
    for (const dump of dumps.slice(0, -1)) {
      const [, kernel, source] = /^(.*)\nSOURCE (.*)\n/.exec(dump)!;
      kernels.push(kernel);
      if (known.includes(`${source} ${kernel}`)) continue;
      if (keep) writeFileSync(join(keep, `${kernel.replaceAll(/\W+/g, "_")}.${family}.s`), dump);
      compiled.push({ kernel, family, source, figures: figuresOf(dump) });
    }
    return { kernels, compiled };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const head = [
  "kernel",
  "family",
  "registers",
  "spills",
  "shared",
  "resident",
  "loop instructions",
  "loop",
  "packed",
  "bytes per multiply-add",
  "shared accesses per multiply-add",
  "source",
];

const row = ({ kernel, family, source, figures }: Compiled): string[] => {
  const { registers, spills, scratch, shared, resident, loop } = figures;
  const counts = [String(registers), String(spills + scratch), String(shared), String(resident)];
  if (!loop) return [kernel, family, ...counts, "–", "–", "–", "–", "–", source];
  const packed = loop.packed > 0 ? percent(loop.packed) : "–";
  const [bytes, accesses] = [digits(loop.bytes), loop.sharedAccesses > 0 ? loop.sharedAccesses.toFixed(3) : "–"];
  return [kernel, family, ...counts, String(loop.instructions), percent(loop.share), packed, bytes, accesses, source];
};

/** A table, kernel by kernel. */
export function showTable(list: readonly Compiled[]): string {
  const place = (c: Compiled) => families.indexOf(c.family);
  const sorted = list.toSorted((a, b) => (a.kernel < b.kernel ? -1 : a.kernel > b.kernel ? 1 : place(a) - place(b)));
  return table(head, sorted.map(row));
}

/** What a recorded table says of a kernel. */
export interface Recorded {
  readonly kernel: string;
  readonly family: string;
  readonly source: string;
  readonly spills: number;
  /** In percent; none for kernels without a loop of multiply-adds. */
  readonly loop: number | undefined;
}

/** The rows of a page that `showTable` wrote. */
export function readTable(page: string): Recorded[] {
  return page.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    if (cells.length < 13 || !families.some((family) => family === cells[2])) return [];
    const loop = /^([\d.]+) %$/.exec(cells[8] ?? "")?.[1];
    return [
      {
        kernel: cells[1],
        family: cells[2],
        spills: Number(cells[4]),
        loop: loop === undefined ? undefined : Number(loop),
        source: cells[12],
      },
    ];
  });
}
