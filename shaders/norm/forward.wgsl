// Normalisation of groups of elements to zero mean and unit variance, then an optional scale and shift per channel: instance norm (a group is
// one channel of one sample), group norm, and batch norm in training (one channel of all samples). One workgroup per group.
//
// The variance is taken in a second pass around the mean: E[x^2] - E[x]^2 loses all digits on CT-like offsets.

@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<E>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>; // mean, 1 / standard deviation

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let g = linear_group(group, groups);
  // Not an early return: every lane has to reach the barriers.
  let count = select(0u, p.count, g < p.groups);

  var sum = 0.0;
  for (var start = lane; start < count; start += BLOCK) {
    var part = 0.0;
    for (var i = start; i < min(start + BLOCK, count); i += LANES) {
      part += f32(x[at(g, i)]);
    }
    sum += part;
  }
  let mean = tree_sum(sum, lane) / f32(p.count);

  sum = 0.0;
  for (var start = lane; start < count; start += BLOCK) {
    var part = 0.0;
    for (var i = start; i < min(start + BLOCK, count); i += LANES) {
      let d = f32(x[at(g, i)]) - mean;
      part = fma(d, d, part);
    }
    sum += part;
  }
  let scale = 1.0 / sqrt(tree_sum(sum, lane) / f32(p.count) + p.epsilon);

  for (var i = lane; i < count; i += LANES) {
    var v = (f32(x[at(g, i)]) - mean) * scale;
    if (p.affine != 0u) {
      let c = channel(g, i);
      v = fma(v, weight[c], bias[c]);
    }
    y[at(g, i)] = E(v);
  }
  if (lane == 0u && g < p.groups) {
    stats[g] = vec2f(mean, scale);
  }
}
