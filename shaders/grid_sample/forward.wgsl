// y[n, c, o] = x[n, c] sampled at grid[n, o]; a thread does TC channels of one position, which share the taps.
// uses lib/grid lib/planes lib/grid_sample

@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let positions = p.out_size.x * p.out_size.y * p.out_size.z;
  let total = positions * p.out_size.w;
  let place = position_and_plane(linear_group(group, groups), lane, total, TC);
  let i = place.x;
  let first = place.y;
  let channels = p.in_size.w;
  if (i >= total || first >= channels) {
    return;
  }
  let plane = p.in_size.x * p.in_size.y * p.in_size.z;
  let sample = i / positions * channels;
  var origin: array<u32, TC>;
  for (var c = 0u; c < TC; c++) {
    origin[c] = (sample + min(first + c, channels - 1u)) * plane;
  }
  let g = i * p.axes;
  let td = depth_taps(g);
  let th = axis_taps(grid[g + 1u], p.in_size.y);
  let tw = axis_taps(grid[g], p.in_size.z);
  var acc: array<f32, TC>;
  for (var d = 0u; d < depth_count(); d++) {
    for (var h = 0u; h < TAPS; h++) {
      let line = (td.at[d] * p.in_size.y + th.at[h]) * p.in_size.z;
      for (var w = 0u; w < TAPS; w++) {
        let weight = td.weight[d] * th.weight[h] * tw.weight[w];
        if (weight == 0.0) {
          continue;   // what is not read may be infinite
        }
        for (var c = 0u; c < TC; c++) {
          acc[c] = fma(weight, x[origin[c] + line + tw.at[w]], acc[c]);
        }
      }
    }
  }
  for (var c = 0u; c < TC; c++) {
    if (first + c < channels) {
      y[(sample + first + c) * positions + i % positions] = acc[c];
    }
  }
}
