// Last pass to the input gradient: every input element adds weight * dy over its list, TC channels per thread.
// uses lib/grid lib/planes

struct Params {
  plane: u32,       // input elements per channel
  positions: u32,   // output positions per channel
  channels: u32,
  first: u32,       // first sample, and
  samples: u32,     // how many samples, of this dispatch
  taps: u32,        // entries per position
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> head: array<i32>;
@group(0) @binding(2) var<storage, read> next: array<i32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let total = p.plane * p.samples;
  let place = position_and_plane(linear_group(group, groups), lane, total, TC);
  let i = place.x;
  let first = place.y;
  if (i >= total || first >= p.channels) {
    return;
  }
  let sample = (p.first + i / p.plane) * p.channels;
  var origin: array<u32, TC>;
  for (var c = 0u; c < TC; c++) {
    origin[c] = (sample + min(first + c, p.channels - 1u)) * p.positions;
  }
  var acc: array<f32, TC>;
  for (var e = head[i]; e >= 0; e = next[e]) {
    let o = u32(e) / p.taps % p.positions;
    for (var c = 0u; c < TC; c++) {
      acc[c] = fma(weights[e], dy[origin[c] + o], acc[c]);
    }
  }
  for (var c = 0u; c < TC; c++) {
    if (first + c < p.channels) {
      dx[(sample + first + c) * p.plane + i % p.plane] = acc[c];
    }
  }
}
