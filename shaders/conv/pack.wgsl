// Weights of a convolution in the order in which conv/tile.wgsl reads them: per group, step of `step` input channels, tap and channel of the step a row of all
// output channels, with zeros behind the last channel of either side. A thread writes four output channels.
// uses lib/grid

struct Params {
  taps: u32,
  step: u32,
  steps: u32,        // of input channels in a group
  pitch: u32,        // vec4 in a row
  in_group: u32,     // channels per group
  out_group: u32,
  weight_out: u32,   // distances in w
  weight_in: u32,
  weight_group: u32,
  count: u32,        // vec4 in all
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * 64u + lane;
  if (id >= p.count) {
    return;
  }
  let row = id / p.pitch;
  let o = id % p.pitch * 4u;
  let tap = row / p.step % p.taps;
  let part = row / p.step / p.taps; // groups times steps
  let c = part % p.steps * p.step + row % p.step;
  let at = part / p.steps * p.weight_group + c * p.weight_in + tap;
  var v = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) {
    if (c < p.in_group && o + i < p.out_group) {
      v[i] = w[at + (o + i) * p.weight_out];
    }
  }
  packed[id] = v;
}
