/** @file HD95, ASSD and NSD of the heads that `surfaces.py` made, as `voxgrad evaluate` works them out: `node surfaces.ts FOLDER`. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { caseMetricsNamed, scoreCase } from "../../src/seg/metrics/case_metrics.ts";

const folder = process.argv[2];
const [prediction, truth] = [0, 1].map((s) => ({
  data: new Uint8Array(readFileSync(join(folder, `head${s}.raw`))),
  shape: [1, 256, 256, 256],
}));
const metrics = caseMetricsNamed(["hd95", "assd", "nsdvoxels"]);
const classes = [1, 2, 3].map((v) => ({ name: String(v), values: [v] }));
const start = performance.now();
const values = scoreCase(prediction, truth, { metrics, classes, spacing: [1, 0.9, 1.2], tolerance: 1.5 });
const seconds = (performance.now() - start) / 1000;
writeFileSync(join(folder, "ours.json"), JSON.stringify({ seconds, values }));
console.log(`ours ${seconds.toFixed(2)} s`);
