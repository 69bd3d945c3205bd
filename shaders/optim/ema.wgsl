// Moving average of weights: shadow <- shadow + (1 - decay) * (weight - shadow).
// uses lib/each

struct Params {
  count: u32,
  each: u32,
  share: f32,   // 1 - decay
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> shadow: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    shadow[i] = fma(p.share, weight[i] - shadow[i], shadow[i]);
  }
}
