/** @file The page of a run on made-up facts: everything is on it, nothing of the data is taken for HTML, and it stands alone. */

import { describe, expect, test } from "vitest";
import { caseMetricsNamed } from "../../../src/seg/metrics/case_metrics.ts";
import { compareCases } from "../../../src/seg/metrics/comparison.ts";
import { Gallery } from "../../../src/seg/run/gallery.ts";
import { type ReportFacts, reportPage } from "../../../src/seg/run/report_page.ts";

const hostile = `<script>alert("x")</script><img src=http://evil.example/a.png onerror='x'>`;
const metrics = caseMetricsNamed(["dice", "hd95"]);

function facts(more: Partial<ReportFacts> = {}): ReportFacts {
  const classes = ["liver", hostile];
  const cases = [
    {
      id: "one",
      scores: [
        [0.9, 3],
        [NaN, NaN],
      ],
    },
    {
      id: hostile,
      scores: [
        [0.7, Infinity],
        [0.25, 12.345],
      ],
    },
  ];
  const rules = { empty: "skip", missing: "skip", tolerance: 1 } as const;
  return {
    name: "run one",
    summary: "nets & more",
    config: { data: hostile, fold: 0, channels: [4, 8] },
    info: {
      recipe: { name: "mine", version: 3 },
      labels: [
        { name: "background", values: [0] },
        { name: "liver", values: [1] },
        { name: hostile, values: [2, 3] },
      ],
      channels: [hostile],
      spacing: [1, 1.5, 2],
      outputs: "softmax",
      orientation: "RAS",
    },
    classes: [
      { name: "liver", values: [1] },
      { name: hostile, values: [2, 3] },
    ],
    sessions: [
      {
        started: "2026-01-02T03:04:05.000Z",
        device: hostile,
        software: true,
        runtime: "Node.js/24",
        voxgrad: "0.1.0",
        epoch: 0,
        step: 0,
        parameters: 12345,
        plannedBytes: 2048,
        dataset: hostile,
        train: 8,
        val: 2,
      },
    ],
    epochs: [
      {
        epoch: 1,
        loss: 0.5,
        lr: 0.1,
        seconds: 20,
        timing: { samples: 100, training: 10, waiting: 2, validation: 10 },
        dice: [0.5, NaN],
      },
    ],
    comparison: compareCases({ classes, metrics, ...rules }, cases),
    worst: [{ id: hostile, score: 0.475, picture: Uint8Array.of(1, 2, 3, 4) }],
    best: [{ id: "one", score: 0.9, picture: new Uint8Array(50_000) }],
    failed: [{ id: hostile, reason: `cannot read ${hostile}` }],
    postprocessing: {
      steps: [{ step: "keepLargest", labels: [1] }],
      cases: 2,
      dice: { [hostile]: { before: null, after: 0.5 } },
    },
    files: ["config.json", 'overlays/a "b".png'],
    ...more,
  };
}

describe("the page of a run", () => {
  const page = reportPage(facts());
  const tags = [...page.replace(/<style>.*?<\/style>/s, "").matchAll(/<(\/?)([a-z][\w]*)([^>]*)>/g)];

  test("takes nothing of the data for HTML", () => {
    expect(page).not.toMatch(/<script|<img src=http/i);
    expect(page).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;");
    for (const [, , , attributes] of tags) expect(attributes.replace(/"[^"]*"/g, "")).not.toMatch(/\son\w+=|style=/);
    expect(page).toContain('href="overlays/a%20%22b%22.png"');
  });

  test("asks for nothing", () => {
    const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((m) => m[1]);
    expect(links.filter((l) => !/^(data:image\/png;base64,|[\w./%]+$)/.test(l))).toEqual([]);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/url\(|@import/);
    const pictures = links.flatMap((l) => (l.startsWith("data:") ? [Buffer.from(l.slice(22), "base64")] : []));
    expect(pictures.map((p) => p.length)).toEqual([4, 50_000]);
    expect([...pictures[0]]).toEqual([1, 2, 3, 4]);
  });

  test("closes what it opens", () => {
    const empty = /^(meta|img|rect|path|circle)$/;
    const open: string[] = [];
    for (const [, close, name] of tags) {
      if (empty.test(name)) continue;
      if (close) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  test("has scores with spread and interval, curves, boxes, times, data, device and options", () => {
    const words = ["0.800 ± 0.141", "1 finite, 1 infinite", "∞", "12.35", "Training loss", "Validation Dice", "Learning rate"];
    const more = ["10 samples/s", "20 % of the time in training steps", "8 to train, 2 to validate", "1.000 × 1.500 × 2.000 mm"];
    const rest = ["2.0 KiB", "(software)", "keepLargest, labels [1]", "[4,8]", "12,345", "cannot read"];
    for (const word of [...words, ...more, ...rest]) expect(page).toContain(word);
    expect(page.match(/<svg xmlns/g)).toHaveLength(2 + 3);
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  });

  test("says so where a run of before lacks something, and bounds the table of cases", () => {
    const cases = Array.from({ length: 2000 }, (_, i) => ({
      id: `c${i}`,
      scores: [
        [0.5, 1],
        [0.5, 1],
      ],
    }));
    const { classes, metrics: m, empty, missing, tolerance } = facts().comparison;
    const few = { samples: 10 };
    const comparison = compareCases({ classes, metrics: m, empty, missing, tolerance, bootstrap: few }, cases);
    const old = reportPage(
      facts({ sessions: [], epochs: [], worst: [], best: [], failed: [], postprocessing: undefined, comparison }),
    );
    expect(old).toContain("500 further cases are in");
    expect(old).toContain("Not decided");
    for (const word of ["Device and versions", "Curves", "Worst and best", "without a score", "undefined", "NaN"])
      expect(old).not.toContain(word);
    const none = reportPage(facts({ comparison: compareCases({ classes, metrics: m, empty, missing, tolerance }, []) }));
    expect(none).toContain("No case has a score");
    expect(none).not.toMatch(/undefined|NaN/);
  });
});

test("a gallery draws only what may be among the worst or best, and shows no case twice", async () => {
  const gallery = new Gallery(2);
  const drawn: number[] = [];
  const scores = [0.5, 0.6, NaN, 0.55, 0.9, 0.1, 0.56];
  for (const score of scores) {
    await gallery.add(`s${score}`, score, async () => {
      drawn.push(score);
      return new Uint8Array(0);
    });
  }
  expect(gallery.worst.map((c) => c.score)).toEqual([0.1, 0.5]);
  expect(gallery.best.map((c) => c.score)).toEqual([0.9, 0.6]);
  expect(drawn).toEqual([0.5, 0.6, 0.55, 0.9, 0.1]);
  const few = new Gallery(2);
  for (const score of [0.2, 0.3, 0.4]) await few.add(String(score), score, async () => new Uint8Array(0));
  expect([few.worst, few.best].map((l) => l.map((c) => c.score))).toEqual([[0.2, 0.3], [0.4]]);
});
