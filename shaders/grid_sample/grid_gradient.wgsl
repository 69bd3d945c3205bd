// dgrid[n, o] = sum over channels of dy * slope of the sample along each axis.
// uses lib/grid lib/grid_sample

@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgrid: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let positions = p.out_size.x * p.out_size.y * p.out_size.z;
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= positions * p.out_size.w) {
    return;
  }
  let plane = p.in_size.x * p.in_size.y * p.in_size.z;
  let channels = p.in_size.w;
  let source = i / positions * channels * plane;
  let to = i / positions * channels * positions + i % positions;
  let g = i * p.axes;
  let td = depth_taps(g);
  let th = axis_taps(grid[g + 1u], p.in_size.y);
  let tw = axis_taps(grid[g], p.in_size.z);
  var sum = vec3f(0.0);   // W, H, D as in the grid
  for (var d = 0u; d < depth_count(); d++) {
    for (var h = 0u; h < TAPS; h++) {
      let line = (td.at[d] * p.in_size.y + th.at[h]) * p.in_size.z;
      for (var w = 0u; w < TAPS; w++) {
        let slope = vec3f(
          td.weight[d] * th.weight[h] * tw.slope[w],
          td.weight[d] * th.slope[h] * tw.weight[w],
          td.slope[d] * th.weight[h] * tw.weight[w]);
        if (all(slope == vec3f(0.0))) {
          continue;
        }
        let at = source + line + tw.at[w];
        var dot = 0.0;
        for (var c = 0u; c < channels; c++) {
          dot = fma(x[at + c * plane], dy[to + c * positions], dot);
        }
        sum = fma(vec3f(dot), slope, sum);
      }
    }
  }
  for (var a = 0u; a < p.axes; a++) {
    dgrid[g + a] = sum[a];
  }
}
