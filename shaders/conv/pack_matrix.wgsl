// Weights of a convolution in f16, in the order in which conv/matrix.wgsl reads them: per group, step of `step` input channels and tap a row for each output
// channel, of the channels of the step, with zeros behind the last channel of either side. A thread writes a row.
// uses lib/grid

struct Params {
  taps: u32,
  step: u32,
  steps: u32,        // of input channels in a group
  rows: u32,         // output channels, whole tiles of them
  in_group: u32,     // channels per group
  out_group: u32,
  weight_out: u32,   // distances in w
  weight_in: u32,
  weight_group: u32,
  count: u32,        // rows in all
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<f16>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * 64u + lane;
  if (id >= p.count) {
    return;
  }
  let o = id % p.rows;
  let tap = id / p.rows % p.taps;
  let part = id / p.rows / p.taps; // groups times steps
  let c0 = part % p.steps * p.step;
  let at = part / p.steps * p.weight_group + o * p.weight_out + tap;
  for (var c = 0u; c < p.step; c++) {
    var v = 0.0h;
    if (c0 + c < p.in_group && o < p.out_group) {
      v = f16(w[at + (c0 + c) * p.weight_in]);
    }
    packed[id * p.step + c] = v;
  }
}
