// Groups of elements that are normalized together. A group is made of runs of adjacent elements: one run for instance, group and layer norm,
// one run per sample for batch norm. Lengths are in units of V.

struct Params {
  count: u32,              // elements per group
  groups: u32,
  group_step: u32,         // from the start of one group to the next
  run: u32,                // adjacent elements, of a sample where there are several
  batch: u32,              // 1: a run per sample
  samples_on: u32,         // what LANES elements further means: so many samples
  place_on: u32,           // and so many places
  groups_per_sample: u32,
  channels_per_group: u32,
  inner: u32,              // elements per channel inside a group
  affine: u32,
  epsilon: f32,
  slab: u32,               // a workgroup's share of a group or of a channel
  slabs: u32,
  slopes: u32,             // of the activation below zero: 0 for the number `slope`, else as many as the tensor holds, 1 or one per channel
  slope: f32,
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

// Where an element of a group lies: its sample, where the group begins there, and its place in the run.
struct Spot {
  sample: u32,
  base: u32,
  place: u32,
}

fn spot(g: u32, i: u32) -> Spot {
  if (p.batch == 0u) {
    return Spot(g / p.groups_per_sample, g % p.groups_per_sample * p.group_step, i);
  }
  return Spot(i / p.run, g * p.group_step, i % p.run);
}

// LANES elements further. Divisions and branches cost software adapters much: they are for the first element of a lane.
fn next(s: Spot) -> Spot {
  let place = s.place + p.place_on;
  let over = place >= p.run;
  return Spot(s.sample + p.samples_on + select(0u, 1u, over), s.base, place - select(0u, p.run, over));
}

// Where that is in a tensor whose samples are so many elements apart.
fn at(s: Spot, pitch: u32) -> u32 {
  return s.sample * (pitch / WIDTH) + s.base + s.place;
}

fn channel(g: u32, i: u32) -> u32 {
  return g % p.groups_per_sample * p.channels_per_group + i / p.inner;
}
