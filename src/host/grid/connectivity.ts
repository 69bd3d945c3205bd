/** @file Which elements of a grid are neighbors, as ranks (SciPy's `generate_binary_structure`) or as numbers of neighbors (4, 8, 6, 18, 26). */
import { ConfigError } from "../errors.ts";

/** Numbers of neighbors by rank, per number of axes. */
const neighborCounts: Readonly<Record<number, readonly number[]>> = { 1: [2], 2: [4, 8], 3: [6, 18, 26] };

/**
 * The rank of a connectivity: along how many axes neighbors may differ by one at once. 1 … `dims` are ranks themselves; greater numbers are numbers
 * of neighbors: 4 or 8 in a plane, 6, 18 or 26 in a volume. Left out, all of the 3ⁿ − 1 around an element are its neighbors.
 * @throws ConfigError for any other number
 */
export function connectivityRank(op: string, connectivity: number | null | undefined, dims: number): number {
  if (connectivity === undefined || connectivity === null) return dims;
  if (Number.isInteger(connectivity) && connectivity >= 1 && connectivity <= dims) return connectivity;
  const rank = (neighborCounts[dims] ?? []).indexOf(connectivity) + 1;
  if (rank > 0) return rank;
  const counts = neighborCounts[dims];
  throw new ConfigError(
    `${op}: connectivity must be from 1 to ${dims}${counts ? ` or one of ${counts.join(", ")}` : ""} for ${dims} axes, got ${connectivity}`,
  );
}

/** A row of a grid (its last axis) that has neighbors of this row. */
export interface NeighborRow {
  /** Steps along the axes before the last, −1, 0 or 1. */
  readonly steps: readonly number[];
  /** 1 if neighbors in it may be one further along the row, else 0. */
  readonly reach: number;
}

/** The rows that hold neighbors of a rank, in row-major order, the row itself in the middle. */
export function neighborRows(dims: number, rank: number): NeighborRow[] {
  const rows: NeighborRow[] = [];
  const outer = dims - 1;
  for (let code = 0; code < 3 ** outer; code++) {
    const steps = Array.from({ length: outer }, (_, axis) => (Math.floor(code / 3 ** (outer - 1 - axis)) % 3) - 1);
    const moved = steps.filter((s) => s !== 0).length;
    if (moved <= rank) rows.push({ steps, reach: moved < rank ? 1 : 0 });
  }
  return rows;
}

/** Those of them that come before the row in memory, the closest first. */
export function earlierRows(dims: number, rank: number): NeighborRow[] {
  const rows = neighborRows(dims, rank);
  return rows.slice(0, (rows.length - 1) / 2).reverse();
}
