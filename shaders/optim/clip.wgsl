// Limits a flat gradient by value, then scales it so that the norm over all parameters is at most max_norm; the 1e-6 is PyTorch's.
// uses lib/each lib/clip

struct Params {
  count: u32,
  each: u32,
  limit: f32,
  max_norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  let factor = p.max_norm / (norm[0] + 1e-6);
  for (var i = own.first; i < own.end; i += APART) {
    gradient[i] = limited(gradient[i], p.limit) * select(factor, 1.0, factor > 1.0);
  }
}
