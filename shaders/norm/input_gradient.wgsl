// Input gradient of norm/forward.wgsl. With h = (x - mean) * scale and u = dy * weight:
//   dx = scale * (u - mean(u) - h * mean(u * h)).

@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read> dy: array<E>;
@group(0) @binding(5) var<storage, read_write> dx: array<E>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let g = linear_group(group, groups);
  let count = select(0u, p.count, g < p.groups);
  let mean = stats[min(g, p.groups - 1u)].x;
  let scale = stats[min(g, p.groups - 1u)].y;

  var sums = vec2f(0.0);
  for (var start = lane; start < count; start += BLOCK) {
    var part = vec2f(0.0);
    for (var i = start; i < min(start + BLOCK, count); i += LANES) {
      var u = f32(dy[at(g, i)]);
      if (p.affine != 0u) {
        u *= weight[channel(g, i)];
      }
      part += vec2f(u, u * (f32(x[at(g, i)]) - mean) * scale);
    }
    sums += part;
  }
  let mean_u = tree_sum(sums.x, lane) / f32(p.count);
  let mean_uh = tree_sum(sums.y, lane) / f32(p.count);

  for (var i = lane; i < count; i += LANES) {
    var u = f32(dy[at(g, i)]);
    if (p.affine != 0u) {
      u *= weight[channel(g, i)];
    }
    let h = (f32(x[at(g, i)]) - mean) * scale;
    dx[at(g, i)] = E(scale * (u - mean_u - h * mean_uh));
  }
}
