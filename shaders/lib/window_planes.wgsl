// Planes of sums that no window will change any more.

struct Params {
  count: u32,        // voxels in these planes
  first: u32,        // the first of them
  ring: u32,         // planes that are kept
  plane: u32,        // voxels of a plane
  channels: u32,
  first_channel: u32, // of these among all
}

// Where voxel `i` of the planes lies in a channel of the ring.
fn ring_place(i: u32) -> u32 {
  return (p.first + i / p.plane) % p.ring * p.plane + i % p.plane;
}
