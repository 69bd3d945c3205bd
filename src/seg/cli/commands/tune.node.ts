/** @file `voxgrad tune`: measures the variants of kernels on this adapter, once, for later runs. */

import { resolve } from "node:path";
import { tune } from "../../../kernels/tune.ts";
import { tuningFile, writeTuning } from "../../run/tuning.node.ts";
import { ProgressLine } from "../../training/progress.ts";
import { type Command, flag, parse, say, text } from "../command_line.node.ts";
import { interruptible, withDevice } from "../device.node.ts";
import { expectFree } from "../outputs.node.ts";

export const tuneCommand: Command = {
  name: "tune",
  usage: [["[--out FILE [--overwrite]]", "measure kernel variants on this adapter once, for later runs"]],
  async run(args) {
    const { values } = parse(args, { out: text, overwrite: flag });
    expectFree({ outputs: [values.out], overwrite: values.overwrite });
    return withDevice(
      async (device) => {
        const file = values.out === undefined ? tuningFile(device) : resolve(values.out);
        const { signal, done } = interruptible(`stopping after this measurement and writing ${file}`);
        const line = new ProgressLine(process.stderr);
        const start = performance.now();
        try {
          const { choices, gains } = await tune(device, {
            signal,
            onProgress: (count, total, label) =>
              line.update({ label, done: count, total, seconds: (performance.now() - start) / 1000 }),
          });
          line.finish();
          for (const { problem, rule, best, before, after } of gains) {
            say(`${problem.padEnd(44)} ${best.padEnd(16)} ${(before / after).toFixed(2)} × ${rule} (${after.toFixed(2)} ms)`);
          }
          await writeTuning(device, choices, file);
          say(`${gains.length} better than the fixed table; written to ${file}`);
          return signal.aborted ? 130 : 0;
        } finally {
          done();
        }
      },
      { tuned: false, half: true },
    );
  },
};
