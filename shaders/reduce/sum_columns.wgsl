// The same sum with one thread per output, for many outputs of few terms each: slabs of a weight gradient, a batch axis.
// Pairs of accumulators would not help: the terms are few by choice of the host.

struct Params {
  o1: u32,
  r1: u32,
  o2: u32,
  r2: u32,
  chunk: u32,
  chunks: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = linear_group(group, groups) * 64u + lane;
  if (o >= p.o1 * p.o2) {
    return;
  }
  let base = o / p.o2 * p.r1 * p.o2 * p.r2 + o % p.o2 * p.r2;
  var sum = 0.0;
  for (var i = 0u; i < p.r1; i++) {
    for (var j = 0u; j < p.r2; j++) {
      sum += x[base + i * (p.o2 * p.r2) + j];
    }
  }
  y[o] = sum * p.factor;
}
