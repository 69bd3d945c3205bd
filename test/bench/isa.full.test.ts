/**
 * @file What the kernels compile to is what bench/results/isa.md records: nothing spills, and the share of multiply-adds in the loop that does the
 * work has not dropped. Only what changed since is compiled, kernels as well as compilers. `npm run bench:isa` records anew.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { families, missing } from "../../bench/isa/driver.ts";
import { compileFor, readTable, showTable } from "../../bench/isa/table.ts";

const recorded = readTable(readFileSync(new URL("../../bench/results/isa.md", import.meta.url), "utf8"));
const why = missing();
if (why) console.warn(`test/bench/isa: left out, since ${why}`);

/** Points of `loop`: what another version of the driver may change. */
const slack = 5;

describe.skipIf(why !== undefined)("compiled kernels", () => {
  test.each(families)("%s", (family) => {
    const before = new Map(recorded.filter((r) => r.family === family).map((r) => [r.kernel, r]));
    const { kernels, compiled } = compileFor(family, {
      known: Array.from(before.values(), ({ source, kernel }) => `${source} ${kernel}`),
    });
    expect(kernels.sort(), "kernels of the table; npm run bench:isa records new ones").toEqual([...before.keys()]);
    const now = readTable(showTable(compiled));
    expect([...before.values(), ...now].filter(({ spills }) => spills > 0)).toEqual([]);
    const worse = now.filter(({ kernel, loop }) => {
      const old = before.get(kernel)!.loop;
      return old !== undefined && (loop ?? 0) < old - slack;
    });
    expect(worse).toEqual([]);
  });
});
