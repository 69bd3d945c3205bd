// y[…, row, column] = x where column - row is at most (LOWER) or at least `diagonal`, else 0.
// uses lib/each

override LOWER: u32;

struct Params {
  rows: u32,
  columns: u32,
  diagonal: i32,
  each: u32,    // elements of a thread, see lib/each
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    let from_diagonal = i32(i % p.columns) - i32(i / p.columns % p.rows) - p.diagonal;
    let kept = select(from_diagonal >= 0, from_diagonal <= 0, LOWER != 0u);
    y[i] = select(0u, x[i], kept);
  }
}
