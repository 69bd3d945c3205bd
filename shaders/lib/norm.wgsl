// Groups of elements that are normalized together. A group is made of runs of adjacent elements: one run for instance, group and layer norm,
// one run per sample for batch norm. Lengths are in units of V.

struct Params {
  count: u32,              // elements per group
  groups: u32,
  group_step: u32,         // from the start of one group to the next
  run: u32,                // adjacent elements
  batch: u32,              // 1: a run per sample
  groups_per_sample: u32,
  channels_per_group: u32,
  inner: u32,              // elements per channel inside a group
  affine: u32,
  epsilon: f32,
  slab: u32,               // a workgroup's share of a group or of a channel
  slabs: u32,
  slopes: u32,             // of the activation below zero: 0 for the number `slope`, else as many as the tensor holds, 1 or one per channel
  slope: f32,
  residual: u32,           // what norm/forward adds: NONE, BEHIND the activation or BEFORE it
  x_pitch: u32,            // elements, not V, from one sample to the next
  y_pitch: u32,
  residual_pitch: u32,
  dx_pitch: u32,
  dy_pitch: u32,
}


@group(0) @binding(0) var<uniform> p: Params;

// Lanes add in blocks of this many elements, and parts of 64 blocks, so that the error of a sum stays small for whole volumes.
const BLOCK = 64u * LANES;
const PART = 64u * BLOCK;

// Sample of element i of group g, and its place in the sample. Divisions and branches cost software adapters much: once for all tensors.
fn spot(g: u32, i: u32) -> vec2u {
  if (p.batch == 0u) {
    return vec2u(g / p.groups_per_sample, g % p.groups_per_sample * p.group_step + i);
  }
  return vec2u(i / p.run, g * p.group_step + i % p.run);
}

// Where that is in a tensor whose samples are so many elements apart.
fn at(to: vec2u, pitch: u32) -> u32 {
  return to.x * (pitch / WIDTH) + to.y;
}

fn channel(g: u32, i: u32) -> u32 {
  return g % p.groups_per_sample * p.channels_per_group + i / p.inner;
}
