// Sum over axes r1 and r2 of [o1, r1, o2, r2], times a factor; every set of adjacent or outer-and-inner axes has this form.
// One workgroup per output and chunk of the reduced elements: each lane adds at most `chunk / LANES` values, then the tree adds the lanes,
// so the error grows with the logarithm of the count. Chunks are added by a second pass.

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

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let outputs = p.o1 * p.o2;
  let o = id % outputs;
  let k = id / outputs;
  let first = k * p.chunk;
  let last = select(0u, min(first + p.chunk, p.r1 * p.r2), k < p.chunks);
  let base = o / p.o2 * p.r1 * p.o2 * p.r2 + o % p.o2 * p.r2;
  var sum = 0.0;
  for (var r = first + lane; r < last; r += LANES) {
    sum += x[base + r / p.r2 * (p.o2 * p.r2) + r % p.r2];
  }
  let total = tree_sum(sum, lane);
  if (lane == 0u && k < p.chunks) {
    y[id] = total * p.factor;
  }
}
