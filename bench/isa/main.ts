/**
 * @file `npm run bench:isa [-- --only PATTERN] [--family NAME] [--keep DIR]`: what the kernels compile to on AMD GPUs that are not here: registers, spills,
 * resident subgroups, and what the loop that does the work consists of. Without options it writes bench/results/isa.md, which a test of the full tier
 * compares with; with options it prints. `--keep` leaves the assembly in a folder.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { families, missing } from "./driver.ts";
import { compileFor, showTable } from "./table.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, family: { type: "string" }, keep: { type: "string" } } });

const why = missing();
if (why) {
  console.error(`bench:isa cannot run here: ${why}`);
  process.exit(1);
}
if (values.keep) mkdirSync(values.keep, { recursive: true });
const chosen = families.filter((family) => values.family === undefined || family === values.family);
const page = showTable(chosen.flatMap((family) => compileFor(family, values).compiled));
if (Object.keys(values).length > 0) console.log(page);
else {
  const text = `# What the kernels compile to

\`npm run bench:isa\`: Mesa's RADV on a null device, for RDNA 3 (navi31), RDNA 2 (navi21) and GCN (vega10). Nothing ran: these are static figures, which rank
variants and show spills and missing reuse.

- _registers_ per lane; _spills_: registers and bytes of scratch memory; _shared_: bytes per workgroup; _resident_: subgroups per SIMD unit.
- _loop_: multiply-adds as a part of the issue slots of the smallest loop around the hottest block that also loads from memory; an upper bound of the part of
  the peak that the kernel reaches. A matrix instruction takes 16 slots. _packed_: multiply-adds in packed or matrix instructions.
- _bytes_, _shared accesses_: what a lane loads from memory, and how often it turns to shared memory, per multiply-add of that loop.
- _source_: of what the kernel, its compiler and driver are; the test of this page compiles those whose source is another one by now.
- "blocked": sums of more than 4,096 products; "blocked twice": of more than 16,384.

`;
  writeFileSync(join(import.meta.dirname, "..", "results", "isa.md"), `${text}${page}\n`);
}
