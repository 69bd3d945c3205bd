/** @file The line that tells how far training is. */

import { describe, expect, it } from "vitest";
import { formatDuration, formatProgress, ProgressLine } from "../../../src/seg/training/progress.ts";

describe("formatProgress", () => {
  it("shows what is given", () => {
    expect(formatProgress({ done: 3, total: 12 })).toBe(" 3/12");
    expect(
      formatProgress({
        label: "epoch 2/5",
        done: 12,
        total: 48,
        seconds: 16,
        samples: 5000,
        loss: 0.436,
        lr: 5e-3,
        values: { dice: 0.91 },
      }),
    ).toBe("epoch 2/5  12/48  loss 0.4360  dice 0.9100  lr 5.0e-3  313 samples/s  ETA 0:48");
    expect(formatProgress({ done: 5, total: 5, seconds: 90, samples: 15 })).toBe("5/5  0.17 samples/s  took 1:30");
    expect(formatProgress({ done: 0, total: 5, seconds: 3, loss: NaN })).toBe("0/5  loss NaN");
    expect(formatProgress({ done: 1, total: 2, loss: 2e-5 })).toBe("1/2  loss 2.00e-5");
  });

  it("formats durations", () => {
    expect([0, 7.4, 59.6, 754, 3723, Infinity].map(formatDuration)).toEqual(["0:00", "0:07", "1:00", "12:34", "1:02:03", "?"]);
  });
});

describe("ProgressLine", () => {
  function line(isTTY: boolean): { text: () => string; at: (t: number, done: number) => void; line: ProgressLine } {
    let [out, time] = ["", 0];
    const progress = new ProgressLine({ write: (s: string) => (out += s), isTTY, columns: 12 }, { now: () => time });
    return {
      text: () => out,
      at: (t, done) => {
        time = t;
        progress.update({ label: "windows", done, total: 9 });
      },
      line: progress,
    };
  }

  it("rewrites one line of a terminal, cut to its width", () => {
    const p = line(true);
    p.at(0, 1);
    p.at(0.05, 2); // too soon
    p.at(0.2, 3);
    p.at(0.25, 9);
    p.line.finish();
    expect(p.text()).toBe("\rwindows  1/\x1b[K\rwindows  3/\x1b[K\rwindows  9/\x1b[K\n");
  });

  it("writes a plain line every few seconds elsewhere, and always the last state", () => {
    const p = line(false);
    for (let k = 0; k <= 9; k++) p.at(k, k);
    p.line.finish();
    p.line.finish();
    expect(p.text()).toBe("windows  0/9\nwindows  5/9\nwindows  9/9\n");
  });

  it("puts a summary in place of the line", () => {
    const p = line(true);
    p.at(0, 1);
    p.at(0.01, 2);
    p.line.log("epoch 1 done");
    p.line.finish();
    expect(p.text()).toBe("\rwindows  1/\x1b[K\repoch 1 done\x1b[K\n");
  });
});
