// Sizes and bindings of the weight gradients of convolution: a is the side whose positions are summed over, b the side that taps reach.

struct Params {
  a_size: vec4i,     // D, H, W of a
  b_size: vec4i,     // D, H, W of b
  taps: vec4i,
  stride: vec4i,
  dilation: vec4i,
  padding: vec4i,
  whole: vec4i,      // taps of the weight, of which those above are a part; the place of the first of these
  a_channels: u32,
  b_channels: u32,
  a_pitch: u32,      // elements from one sample to the next
  b_pitch: u32,
  a_group: u32,      // channels per group
  b_group: u32,
  rows: u32,         // runs of positions: N * D * H of a times segments
  segment: u32,      // positions of a run: a line along W, or a part of one
  segments: u32,     // runs per line
  slab: u32,         // runs per workgroup
  block: u32,        // runs that are added on their own
  columns: u32,      // workgroups along taps and b-channels
  tiles: u32,        // along a-channels, over all groups
  slabs: u32,
  by_channel: u32,   // 1: lanes side by side differ in b-channels before taps, see lib/conv_runs
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<X>;
@group(0) @binding(2) var<storage, read> b: array<X>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;

// Place of a tap in the weight.
fn tap_place(tap: vec3i) -> u32 {
  return u32((tap.x * p.whole.y + tap.y) * p.whole.z + tap.z + p.whole.w);
}

fn taps_of_weight() -> u32 {
  return u32(p.whole.x * p.whole.y * p.whole.z);
}

// Where a run begins among the positions of a.
fn run_start(row: u32) -> u32 {
  return row / p.segments * u32(p.a_size.z) + row % p.segments * p.segment;
}

// Column, tile and slab of a workgroup: one folded grid, since each may be many.
fn place(id: u32) -> vec3u {
  return vec3u(id % p.columns, id / p.columns % p.tiles, id / p.columns / p.tiles);
}
