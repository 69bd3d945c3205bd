/** @file The results as Markdown tables. */

import type { Timing } from "./worker.ts";

/** What one engine did of one task. */
export interface Cell {
  readonly timings: Timing[];
  /** Why it could not. */
  cannot?: string;
  right?: boolean;
  /** Of the result, relative to its largest element; of a training step, of the losses relative to how far they fell. */
  error?: number;
}

export interface Row {
  readonly task: string;
  readonly flops: number;
  readonly cells: Readonly<Record<string, Cell>>;
}

/** A training step seen from the host. */
export interface Host {
  readonly calls?: Readonly<Record<string, number>>;
  /** Milliseconds per step on Dawn's null device. */
  readonly hostMs: number;
  /** The same on the adapter in use, up to the submit. */
  readonly adapterHostMs?: number;
  /** Seconds of the first step of a process. */
  readonly cold: number;
  readonly warm: number;
  readonly plannedBytes?: number;
}

export const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

const best = (list: readonly number[]) => Math.min(...list);
const bestWall = (cell: Cell) => best(cell.timings.map((t) => t.wall));
const digits = (x: number) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));

export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((c) => c.replaceAll("|", "/")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}

/** The first line of an error. */
export function short(reason: string, length = 90): string {
  const [first] = reason.split("\n");
  return first.length > length ? `${first.slice(0, length)}…` : first;
}

/** Best milliseconds of each engine; the ratio is to the fastest peer whose result is right. */
export function mainTable(rows: readonly Row[], engines: readonly string[]): string {
  const body = rows.map(({ task, flops, cells }) => {
    const columns = engines.map((name) => {
      const cell = cells[name];
      if (cell.cannot !== undefined) return `cannot: ${short(cell.cannot)}`;
      return `${digits(bestWall(cell))} ms, ${digits(flops / bestWall(cell) / 1e6)} GFLOP/s, ${cell.right ? "right" : "**wrong**"}`;
    });
    const peers = engines.filter((name) => name !== "voxgrad" && cells[name].right && cells[name].cannot === undefined);
    const [fastest] = peers.sort((a, b) => bestWall(cells[a]) - bestWall(cells[b]));
    const own = cells.voxgrad;
    const ratio =
      !own?.right || own.cannot !== undefined
        ? "–"
        : fastest
          ? `${digits(bestWall(cells[fastest]) / bestWall(own))}× (${fastest})`
          : "no peer is right";
    return [task, digits(flops / 1e9), ...columns, ratio];
  });
  return table(["task", "GFLOP", ...engines, "best right peer ÷ voxgrad"], body);
}

/** Spread, processor time and error of each result. */
export function details(rows: readonly Row[]): string {
  const body = rows.flatMap(({ task, flops, cells }) =>
    Object.entries(cells).flatMap(([name, { timings, cannot, error }]) => {
      if (cannot !== undefined) return [];
      const cpu = best(timings.map((t) => t.cpu));
      const walls = timings.map((t) => t.wall);
      return [
        [
          task,
          name,
          digits(best(walls)),
          digits(median(walls)),
          String(walls.length),
          digits(cpu),
          digits(flops / cpu / 1e6),
          error!.toExponential(1),
        ],
      ];
    }),
  );
  return table(["task", "engine", "best ms", "median ms", "runs", "CPU ms (best)", "GFLOP per CPU-s", "error"], body);
}

// From a survey of the peers before voxgrad, with Node 20 on the same kind of machine.
const published = [
  ["tfjs (published)", "260", "18", "260", "260", "15–19", "12.2", "–", "263 MB created"],
  ["jaxjs (published)", "171", "172", "171", "0", "4.5–5.3", "37.7", "–", "202 MB created"],
];

/** A step of the 2-D UNet seen from the host: measured here, and as that survey has it. */
export function hostTable(hosts: readonly (readonly [string, Partial<Host>])[]): string {
  const body = hosts.map(([name, h]) => [
    name,
    ...["dispatchWorkgroups", "submit", "createBindGroup", "writeBuffer"].map((call) => String(h.calls![call])),
    digits(h.hostMs!) + (h.adapterHostMs === undefined ? "" : ` (${digits(h.adapterHostMs)} on this adapter)`),
    digits(h.cold!),
    digits(h.warm!),
    h.plannedBytes === undefined ? "–" : `${digits(h.plannedBytes / 1e6)} MB planned`,
  ]);
  const head = [
    "UNet2D step",
    "dispatches",
    "submits",
    "bind groups",
    "buffer writes",
    "host ms (null device)",
    "first step, s, cold",
    "warm",
    "GPU memory",
  ];
  return table(head, [...body, ...published]);
}
