// From the number of an output to where it lies and reads: the outputs of a phase are numbered along its rows, sample after sample.
// uses lib/conv

// Number `o` in a sample of so many along the axes.
fn on_axes(o: u32, count: vec3i) -> vec3i {
  let k = i32(o);
  return vec3i(k / (count.y * count.z), k / count.z % count.y, k % count.z);
}

// Its address in a plane of y, in phase r.
fn place_in_y(o: vec3i, s: Steps, r: vec3i) -> u32 {
  let at = vec3u(o * s.output + r);
  return (at.x * u32(p.out_size.y) + at.y) * u32(p.out_size.z) + at.z;
}

// The address in a plane of x of a place that may lie outside of it.
fn place_in_x(at: vec3i) -> i32 {
  return (at.x * p.in_size.y + at.y) * p.in_size.z + at.z;
}
