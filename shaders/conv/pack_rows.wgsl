// Weights of a convolution in the order in which conv/rows.wgsl reads them: per tile of output channels, tap of D and H and input channel a row of all taps along W
// of all channels of the tile, with zeros behind the last channel and up to whole vectors of 32. A thread writes a row.
// uses lib/grid

struct Params {
  tile: u32,         // output channels
  tiles: u32,        // per group
  row: u32,          // words in a row
  rows: u32,         // taps of D and H
  width: u32,        // taps of W
  flip: u32,         // 1: the last tap of W first
  in_group: u32,     // channels per group
  out_group: u32,
  weight_out: u32,   // distances in w
  weight_in: u32,
  weight_group: u32,
  count: u32,        // rows in all
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * 64u + lane;
  if (id >= p.count) {
    return;
  }
  let c = id % p.in_group;
  let tap = id / p.in_group % p.rows;
  let tile = id / p.in_group / p.rows; // over all groups
  let first = select(0u, p.width - 1u, p.flip != 0u);
  let step = select(1, -1, p.flip != 0u);
  var o = tile % p.tiles * p.tile;
  let end = min(o + p.tile, p.out_group);
  var at = tile / p.tiles * p.weight_group + c * p.weight_in + tap * p.width + o * p.weight_out;
  var t = 0u;
  for (var k = id * p.row; k < (id + 1u) * p.row; k++) {
    var v = 0.0;
    if (o < end) {
      v = w[at + u32(i32(first) + i32(t) * step)];
    }
    packed[k] = v;
    t++;
    if (t == p.width) {
      t = 0u;
      o++;
      at += p.weight_out;
    }
  }
}
