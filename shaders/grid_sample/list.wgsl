// First of three passes to the input gradient: for every input element a linked list of the taps that read it. Tap k of position i is entry
// i * taps + k, with its weight; `head` and `next` hold entries or -1. Positions are those of the samples of this dispatch.
//
// The order in which threads get into a list is not the same in every run, so that `sort.wgsl` puts the entries in order before they are
// added. Rejected: float atomics, which WGSL has not; every input scanning every position, which for 64³ onto 64³ is 7e10 visits; tiles of
// inputs against boxes around tiles of positions, which costs hundreds of tests per element even for a smooth grid.
// uses lib/grid lib/grid_sample

@group(0) @binding(2) var<storage, read_write> head: array<atomic<i32>>;
@group(0) @binding(3) var<storage, read_write> next: array<i32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let positions = p.out_size.x * p.out_size.y * p.out_size.z;
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= positions * p.samples) {
    return;
  }
  let plane = p.in_size.x * p.in_size.y * p.in_size.z;
  let source = i / positions * plane;
  let g = (p.first * positions + i) * p.axes;
  let td = depth_taps(g);
  let th = axis_taps(grid[g + 1u], p.in_size.y);
  let tw = axis_taps(grid[g], p.in_size.z);
  var entry = i * depth_count() * TAPS * TAPS;
  for (var d = 0u; d < depth_count(); d++) {
    for (var h = 0u; h < TAPS; h++) {
      let line = (td.at[d] * p.in_size.y + th.at[h]) * p.in_size.z;
      for (var w = 0u; w < TAPS; w++) {
        let weight = td.weight[d] * th.weight[h] * tw.weight[w];
        if (weight != 0.0) {
          weights[entry] = weight;
          next[entry] = atomicExchange(&head[source + line + tw.at[w]], i32(entry));
        }
        entry++;
      }
    }
  }
}
