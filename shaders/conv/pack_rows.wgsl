// Weights of a convolution in the order in which conv/rows.wgsl reads them: per tile of output channels, tap of D and H and input channel a row of all taps along W
// of all channels of the tile, with zeros behind the last channel and up to whole vectors of 32. A thread writes four.
// uses lib/grid

struct Params {
  tile: u32,         // output channels
  tiles: u32,        // per group
  row: u32,          // vec4 in a row
  rows: u32,         // taps of D and H
  width: u32,        // taps of W
  flip: u32,         // 1: the last tap of W first
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
  let row = id / p.row;
  let c = row % p.in_group;
  let tap = row / p.in_group % p.rows;
  let tile = row / p.in_group / p.rows; // over all groups
  let at = tile / p.tiles * p.weight_group + c * p.weight_in + tap * p.width;
  var v = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) {
    let k = id % p.row * 4u + i;
    let o = tile % p.tiles * p.tile + k / p.width;
    if (k < p.tile * p.width && o < p.out_group) {
      let t = select(k % p.width, p.width - 1u - k % p.width, p.flip != 0u);
      v[i] = w[at + o * p.weight_out + t];
    }
  }
  packed[id] = v;
}
