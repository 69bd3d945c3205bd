/** @file The GPU bench without a GPU: shares of the time, processes that die or hang, the page made of fabricated results, and its packed form. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allotment } from "../../bench/gpu/budget.ts";
import { table } from "../../bench/gpu/markdown.ts";
import { whatNext } from "../../bench/gpu/next.ts";
import { bundle } from "../../bench/gpu/pack.ts";
import { type Message, newStage, type RunRecord, type StageName, stageNames, type Task } from "../../bench/gpu/record.ts";
import { report } from "../../bench/gpu/report.ts";
import { Runner } from "../../bench/gpu/runner.ts";
import type { NetworkResult } from "../../bench/gpu/stages/networks.ts";
import { runStage, type Start } from "../../bench/gpu/supervise.ts";
import { allRows } from "../lib/table.ts";

/** A process that says these and ends; with `undefined` in the place of a message it hangs there. */
function process(says: (task: Task) => readonly (Message | undefined)[], why?: (task: Task) => string | undefined): Start {
  return (task, onMessage, onEnd) => {
    const list = [...says(task)];
    const speak = () => {
      const message = list.shift();
      if (message) onMessage(message);
      if (message && list.length > 0) setTimeout(speak, 1);
      else if (message) onEnd(why?.(task));
    };
    setTimeout(speak, 1);
    return () => onEnd("its process ended with SIGKILL");
  };
}

const begin = (item: string): Message => ({ kind: "begin", item });
const value = (item: string, value: unknown): Message => ({ kind: "value", item, value });
const end: Message = { kind: "end", state: "done" };
const limits = { itemSeconds: 10, graceSeconds: 1 };
const taskOf = (seconds: number): Task => ({ stage: "rows", tiny: true, until: Date.now() + 1000 * seconds, skip: [] });

describe("bench/gpu", () => {
  test("time is shared by weight, and what is left over goes to those behind", () => {
    let left = 480;
    for (const name of stageNames) left -= allotment(name, stageNames, left);
    expect(left).toBeCloseTo(0);
    // A stage that took nothing leaves all of it to the others; one that took too much takes it from all.
    expect(allotment("tune", stageNames, 470)).toBeGreaterThan(allotment("tune", stageNames, 370));
    expect(allotment("steps", stageNames, 200)).toBe(200);
    expect(allotment("ops", ["adapter", "ops"], 100)).toBe(100);
    expect(allotment("ops", stageNames, -5)).toBe(0);
  });

  test("a process that dies costs the item it was at", async () => {
    const record = newStage(5);
    const start = process(
      ({ skip }) =>
        skip.includes("b")
          ? [begin("c"), value("c", 3), end]
          : [{ kind: "total", total: 3 }, begin("a"), value("a", 1), begin("b")],
      ({ skip }) => (skip.includes("b") ? undefined : "its process ended with SIGSEGV"),
    );
    await runStage(record, taskOf(5), start, limits);
    expect(record).toMatchObject({
      state: "done",
      total: 3,
      values: { a: 1, c: 3 },
      failures: { b: "its process ended with SIGSEGV" },
    });
  });

  test("an item that hangs is ended, and what it had so far is kept", async () => {
    const record = newStage(5);
    const start = process(({ skip }) =>
      skip.includes("slow") ? [end] : [begin("slow"), { kind: "partial", item: "slow", value: "half" }, undefined],
    );
    await runStage(record, taskOf(5), start, { ...limits, itemSeconds: 0.15 });
    expect(record.state).toBe("done");
    expect(record.values.slow).toBe("half");
    expect(record.failures.slow).toBe("it did not end in 0.15 s");
  });

  test("a stage ends when its time is over; one whose process cannot start has failed", async () => {
    const late = newStage(0.1);
    await runStage(
      late,
      taskOf(0.1),
      process(() => [begin("slow"), undefined]),
      { ...limits, graceSeconds: 0.1 },
    );
    expect(late.state).toBe("cut");
    expect(late.failures.slow).toMatch(/in the time of its stage/);
    const broken = newStage(1);
    const start: Start = (_task, _onMessage, onEnd) => (setTimeout(() => onEnd("no adapter"), 1), () => {});
    await runStage(broken, taskOf(1), start, limits);
    expect(broken).toMatchObject({ state: "failed", notes: ["no adapter"] });
  });

  test("a stage whose processes all die is given up", async () => {
    const record = newStage(5);
    const start = process(
      ({ skip }) => [begin(`item ${skip.length}`)],
      () => "its process ended with SIGSEGV",
    );
    await runStage(record, taskOf(5), start, limits);
    expect(record.state).toBe("failed");
    expect(Object.keys(record.failures)).toHaveLength(8);
  });
});

const adapter = {
  name: "Test 1000",
  slug: "test-1000",
  software: false,
  info: {},
  features: ["shader-f16"],
  limits: {},
  matrices: [],
};
const ceiling = { gflops: 1000, halfGflops: 2000, matrixGflops: undefined, gbps: 100 };

const step = (network: string, bestMs: number, forwardGFLOP: number, kernels: NetworkResult["kernels"]): NetworkResult => ({
  network,
  precision: "f32",
  parameters: 1234,
  forwardGFLOP,
  dispatches: 10,
  bestMs,
  medianMs: bestMs,
  steps: 3,
  firstMs: 100,
  plannedBytes: 2 ** 20,
  realBytes: 2 ** 20,
  stateBytes: 2 ** 20,
  losses: [1, 0.5, 0.25],
  kernels,
});

function fabricated(): RunRecord {
  const stage = (values: Record<string, unknown>, failures: Record<string, string> = {}) => ({
    ...newStage(10),
    state: "done" as const,
    seconds: 5,
    total: Object.keys(values).length + Object.keys(failures).length,
    values,
    failures,
  });
  const kernel = (key: string, milliseconds: number) => ({ key, milliseconds, count: 1 });
  const op = { element: "f32", forwardMs: 2, forwardWallMs: 2, totalMs: 6, totalWallMs: 6, share: 0.5 };
  return {
    started: "2026-01-02T03:04:05.000Z",
    commit: "abc",
    tiny: false,
    minutes: 8,
    seconds: 60,
    stages: {
      adapter: stage({ adapter, versions: { node: "v1" }, ceiling }),
      rows: stage(
        {
          "conv/good": { op: "conv", forward: [1e-7, 2e-6], gradient: [1e-6, 5e-6] },
          "conv/bad": { op: "conv", forward: [4e-6, 2e-6], wrong: "forward: element 3 of 4 is 1, expected 2" },
          "add/nan": { op: "add", forward: [Infinity, 2e-6], wrong: "forward: element 0 of 1 is NaN, expected 2" },
        },
        { "pad/dead": "its process ended with SIGSEGV: | pipe\nsecond line" },
      ),
      // 1 GFLOP: conv.gather does it in 2 ms (half of the ceiling), twice; conv.weight in 4 ms (a quarter).
      ops: stage({
        "conv f32": {
          ...op,
          op: "conv",
          gflop: 1,
          gbyte: 0,
          main: "conv.gather A",
          kernels: [kernel("conv.gather A", 2), kernel("conv.weight", 4), kernel("view.fill", 9)],
        },
      }),
      networks: stage({
        "slow f32": step("slow", 90, 3, [kernel("conv.gather B", 30), kernel("optim.adam", 10)]),
        "fast f32": step("fast", 10, 3, [kernel("conv.weight", 1), kernel("cast.half f32 f16", 1)]),
      }),
    },
  };
}

describe("bench/gpu report", () => {
  test("what to do next: share of the time times distance to the ceiling", () => {
    const list = whatNext(fabricated());
    const of = (what: string) => list.find((n) => n.what === what)!;
    // 9 GFLOP in 90 ms are 100 of 1000 GFLOP/s, in 10 ms 900.
    expect(of("slow f32")).toMatchObject({ kind: "network", timeShare: 0.9 });
    expect(of("slow f32").reached).toBeCloseTo(0.1);
    expect(of("slow f32").gain).toBeCloseTo(0.81);
    expect(of("fast f32").gain).toBeCloseTo(0.01);
    expect(of("conv.gather f32").timeShare).toBeCloseTo(0.9 * 0.75);
    expect(of("conv.gather f32").reached).toBeCloseTo(0.5);
    expect(of("conv.weight f32").reached).toBeCloseTo(0.25);
    // 28 bytes of each parameter at 100 GB/s.
    expect(of("optim.adam f32").reached).toBeCloseTo((28 * 1234) / 0.01 / 100e9);
    expect(of("cast.half f16")).toMatchObject({ reached: undefined });
    expect(of("cast.half f16").gain).toBeCloseTo(0.1 * 0.5);
    expect(list.map((n) => n.what)).toEqual([
      "slow f32",
      "conv.gather f32",
      "optim.adam f32",
      "cast.half f16",
      "conv.weight f32",
      "fast f32",
    ]);
    expect(list.some((n) => n.what.startsWith("view.fill"))).toBe(false);
  });

  test("the page names what is wrong with the size of the error, and leaves out what did not run", () => {
    const page = report(fabricated());
    expect(page).toMatch(/^# GPU bench: Test 1000\n/);
    expect(page).toContain("1 of 4 samples right, 2 wrong, 1 failed, 0 not reached");
    const [nan, bad] = [page.indexOf("| add/nan"), page.indexOf("| conv/bad")];
    expect(nan).toBeGreaterThan(0);
    expect(bad).toBeGreaterThan(nan); // the worst first
    expect(page).toMatch(/\| conv\/bad +\| 4\.0e-6 of 2\.0e-6 +\| – +\| `forward: element 3 of 4 is 1, expected 2`/);
    expect(page).toContain("| pad/dead | `its process ended with SIGSEGV: / pipe` |");
    expect(page).toMatch(/\| conv f32 +\| 2\.00 +\| 500 /);
    expect(page).not.toContain("## Against PyTorch");
    expect(page.indexOf("## What to do next")).toBeGreaterThan(page.indexOf("## Training steps"));
    for (const block of page.split("\n\n").filter((text) => text.startsWith("|"))) {
      expect(
        new Set(
          block
            .trim()
            .split("\n")
            .map((line) => [...line].length),
        ).size,
        block,
      ).toBe(1);
    }
    expect(report({ ...fabricated(), stages: {} })).toMatch(/^# GPU bench: unknown adapter\n/);
    expect(table(["a"], [["x|y\nz"]])).toBe("| a     |\n| ----- |\n| x/y z |");
  });

  test("the runner hands on what was found, writes as it goes and says whether all is well", async () => {
    const out = mkdtempSync(join(tmpdir(), "voxgrad-bench-"));
    const tasks: Task[] = [];
    const { stages } = fabricated();
    let early = "";
    const start = process((task) => {
      tasks.push(task);
      if (task.stage === "tune") early = readFileSync(join(out, "test-1000-rows-tune-ops.md"), "utf8");
      const values =
        task.stage === "tune" ? { tune: { choices: { conv: "A" }, gains: [], complete: true } } : stages[task.stage]!.values;
      return [...Object.entries(values).flatMap(([item, v]) => [begin(item), value(item, v)]), end];
    });
    const only: StageName[] = ["rows", "tune", "ops"];
    const said: string[] = [];
    const runner = new Runner({ minutes: 1, tiny: false, out, only, commit: "abc" }, start, (line) => said.push(line));
    try {
      expect(await runner.all()).toBe(false); // two samples are wrong
      expect(tasks.map((t) => t.stage)).toEqual(["adapter", "rows", "tune", "ops"]);
      expect(tasks[1]).toMatchObject({ tiny: false, ceiling });
      expect(tasks[3].choices).toEqual({ conv: "A" });
      expect(early).toContain("2 wrong");
      expect(runner.file).toBe(join(out, "test-1000-rows-tune-ops"));
      const written = JSON.parse(readFileSync(`${runner.file}.json`, "utf8")) as RunRecord;
      expect(written.stages.tune!.values.tune).toMatchObject({ choices: { conv: "A" } });
      expect(readFileSync(`${runner.file}.md`, "utf8")).toContain("## Speed of operations");
      expect(runner.summary()).toMatch(/^op rows: 1 right, 2 wrong, 0 failed of 0; worst: add\/nan/);
      expect(said.some((line) => /^ops: \d:\d\d of the \d:\d\d left$/.test(line))).toBe(true);
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});

test("bench/gpu packed: everything it reads of the repository is in the bundle", async () => {
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-bench-"));
  try {
    const program = `import { opRows, text } from "./gpu/tree.ts";
      const rows = await opRows();
      const files = ["bench/matrix_ceiling.wgsl", "bench/gpu/torch_models.py", "bench/gpu/torch_networks.py"].map((path) => text(path).length);
      console.log(JSON.stringify({ ids: rows.flatMap((row) => row.samples.map(({ id }) => id)), files }));`;
    writeFileSync(join(folder, "main.mjs"), await bundle(program));
    const printed = execFileSync(globalThis.process.execPath, ["main.mjs"], { cwd: folder, encoding: "utf8" });
    const { ids, files } = JSON.parse(printed) as { ids: string[]; files: number[] };
    expect(ids).toEqual(allRows.flatMap((row) => row.samples.map(({ id }) => id)));
    for (const length of files) expect(length).toBeGreaterThan(500);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
