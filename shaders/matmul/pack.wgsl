// An operand of a matrix product as matmul/matrix.wgsl reads it: the terms of a line side by side, from a multiple of eight on, with zeros behind the last one. A thread writes
// eight of them.
// uses lib/eight_places lib/grid

struct Params {
  lines: u32,  // of a matrix
  inner: u32,  // terms of a line
  line: u32,   // distances in the operand
  term: u32,
  matrix: u32,
  eights: u32, // of a line, as it is written
  count: u32,  // of all lines
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f16>;
@group(0) @binding(2) var<storage, read_write> packed: array<X>;

fn two(u: f16, v: f16) -> u32 {
  return bitcast<u32>(vec2h(u, v));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * 64u + lane;
  if (id >= p.count) {
    return;
  }
  let term = id % p.eights * WIDE;
  let line = id / p.eights;
  let at = line / p.lines * p.matrix + line % p.lines * p.line;
  var v: array<f16, WIDE>;
  for (var e = 0u; e < WIDE && term + e < p.inner; e++) {
    v[e] = x[at + (term + e) * p.term];
  }
  packed[id] = X(two(v[0], v[1]), two(v[2], v[3]), two(v[4], v[5]), two(v[6], v[7]));
}
