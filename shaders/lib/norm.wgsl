// Groups of elements that are normalised together. A group is made of runs of adjacent elements: one run for instance, group and layer norm,
// one run per sample for batch norm. Lengths are in units of V.

struct Params {
  count: u32,              // elements per group
  groups: u32,
  group_step: u32,         // from the start of one group to the next
  run: u32,                // adjacent elements
  run_step: u32,           // from the start of one run of a group to the next; 0 if there is one
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
}


@group(0) @binding(0) var<uniform> p: Params;

// Lanes add in blocks of this many elements, and parts of 64 blocks, so that the error of a sum stays small for whole volumes.
const BLOCK = 64u * LANES;
const PART = 64u * BLOCK;

// Position of element i of group g.
fn at(g: u32, i: u32) -> u32 {
  if (p.run_step == 0u) {
    return g * p.group_step + i;
  }
  return g * p.group_step + i / p.run * p.run_step + i % p.run;
}

fn channel(g: u32, i: u32) -> u32 {
  return g % p.groups_per_sample * p.channels_per_group + i / p.inner;
}
