/**
 * @file Connected components of noise, ours and SciPy's in one run, and whether they are equal in every voxel:
 * `node scripts/setup.mjs --no-gpu -- node --conditions=voxgrad-source bench/components.ts [--size 512]`. SciPy is measured if VOXGRAD_PYTHON, else
 * `python3`, has it.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crc32 } from "../src/host/bytes/crc32.ts";
import { componentLabels, connectedComponents } from "../src/host/grid/components.ts";
import { RandomState } from "../src/host/random/numpy.ts";

const { values } = parseArgs({ options: { size: { type: "string", default: "512" } } });
const size = Number(values.size);

const python = `
import sys, time, zlib
import numpy as np
from scipy import ndimage
n = int(sys.argv[2])
mask = np.fromfile(sys.argv[1], np.uint8).reshape(n, n, n)
for rank in (1, 2, 3):
    start = time.perf_counter()
    labels, count = ndimage.label(mask, ndimage.generate_binary_structure(3, rank))
    print(time.perf_counter() - start, count, zlib.crc32(labels.astype(np.int32)), flush=True)
`;

/** Share of noise that is foreground. */
const share = 0.3;

const random = new RandomState(0);
const mask = new Uint8Array(size ** 3);
for (let start = 0; start < mask.length; start += size * size) {
  const plane = random.rand(size * size);
  for (let i = 0; i < plane.length; i++) mask[start + i] = Number(plane[i] < share);
}

const ours = [1, 2, 3].map((connectivity) => {
  const start = performance.now();
  const components = connectedComponents(mask, [size, size, size], { connectivity });
  const found = performance.now();
  const labels = componentLabels(components);
  const end = performance.now();
  return {
    found: (found - start) / 1000,
    all: (end - start) / 1000,
    count: components.count,
    crc: crc32(new Uint8Array(labels.buffer)),
  };
});
const peak = process.resourceUsage().maxRSS / 1024;

const folder = mkdtempSync(join(tmpdir(), "voxgrad-components-"));
try {
  writeFileSync(join(folder, "mask"), mask);
  const args = ["-c", python, join(folder, "mask"), String(size)];
  const { stdout } = spawnSync(process.env.VOXGRAD_PYTHON ?? "python3", args, { encoding: "utf8" });
  const theirs = (stdout ?? "")
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ").map(Number));
  console.log(`${size}³, ${100 * share} % noise; peak ${peak.toFixed(0)} MiB`);
  console.log(
    "| neighbors | components | runs joined, s | with the map of labels, s | SciPy's label, s | equal |\n|-|-|-|-|-|-|",
  );
  ours.forEach(({ found, all, count, crc: own }, k) => {
    const [seconds, n, crc] = theirs[k] ?? [];
    const equal = n === undefined ? "" : n === count && crc === own ? "yes" : "NO";
    console.log(
      `| ${[6, 18, 26][k]} | ${count} | ${found.toFixed(2)} | ${all.toFixed(2)} | ${seconds?.toFixed(2) ?? "not there"} | ${equal} |`,
    );
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
