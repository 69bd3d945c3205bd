// Gradients of the scale and shift of norm/forward.wgsl: per channel, the sums of dy * (x - mean) * scale and of dy over samples and
// positions. One workgroup per channel.

@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read> dy: array<E>;
@group(0) @binding(4) var<storage, read_write> d_weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_bias: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channels = p.groups_per_sample * p.channels_per_group;
  let id = linear_group(group, groups);
  let c = min(id, channels - 1u);
  var sums = vec2f(0.0);
  for (var g = c / p.channels_per_group; g < p.groups; g += p.groups_per_sample) {
    let first = c % p.channels_per_group * p.inner;
    var part = vec2f(0.0);
    for (var i = lane; i < p.inner; i += LANES) {
      let k = at(g, first + i);
      let d = f32(dy[k]);
      part += vec2f(d * (f32(x[k]) - stats[g].x) * stats[g].y, d);
    }
    sums += part;
  }
  let w = tree_sum(sums.x, lane);
  let b = tree_sum(sums.y, lane);
  if (lane == 0u && id < channels) {
    d_weight[c] = w;
    d_bias[c] = b;
  }
}
