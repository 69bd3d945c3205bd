/** @file `voxgrad bench`: times kernels on this adapter. */

import { bench, benchCases, benchLine, ceilingLine } from "../../../bench/index.ts";
import { ConfigError } from "../../../host/errors.ts";
import { type Command, flag, parse, say, text } from "../command_line.node.ts";
import { interruptible, withDevice } from "../device.node.ts";
import { expectFree, writeOutput } from "../outputs.node.ts";

export const benchCommand: Command = {
  name: "bench",
  usage: [
    [
      "[FILTER] [--json FILE [--overwrite]] [--time MS]",
      "time kernels on this adapter, with their share of what it can do at most",
    ],
  ],
  async run(args) {
    const { values, positionals } = parse(args, { json: text, time: text, overwrite: flag }, true);
    const time = Number(values.time ?? 500);
    if (!(time > 0)) throw new ConfigError(`--time must be a number of milliseconds, got "${values.time}"`);
    if (positionals.length > 1)
      throw new ConfigError(`bench takes one filter, got ${positionals.length}: ${positionals.join(" ")}`);
    expectFree({ outputs: [values.json], overwrite: values.overwrite });
    return withDevice(
      async (device) => {
        const { signal, done } = interruptible("stopping after this case");
        let first = true;
        try {
          const report = await bench(device, benchCases, {
            filter: positionals[0] ?? "",
            time,
            signal,
            onResult(result, top) {
              if (first) say(ceilingLine(top));
              first = false;
              say(benchLine(result));
            },
          });
          if (values.json !== undefined) await writeOutput(values.json, `${JSON.stringify(report, null, 2)}\n`);
          return signal.aborted ? 130 : 0;
        } finally {
          done();
        }
      },
      { half: true },
    );
  },
};
