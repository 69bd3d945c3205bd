// A window of an image [planes, rows, columns]. Flipped axes are read, and written back, from their other end; of swapped ones, which are equally
// long, one is read as the other.

struct Params {
  roi: vec3u,        // size of the window
  flips: u32,        // bit per axis; above them the axes that are swapped: 1 planes and rows, 2 rows and columns, 3 planes and columns
  start: vec3u,      // first voxel of the window in the image
  ring: u32,         // planes that are kept
  first_row: u32,    // row of the image that is kept first
  rows: u32,         // rows that are kept
  columns: u32,
  offset: u32,       // of the window among windows
  channels: u32,
  scale: f32,
}

// Where voxel `i` of the window lies in the image.
fn image_place(i: u32) -> vec3u {
  var here = vec3u(i / (p.roi.y * p.roi.z), i / p.roi.z % p.roi.y, i % p.roi.z);
  switch (p.flips >> 3u) {
    case 1u: { here = here.yxz; }
    case 2u: { here = here.xzy; }
    case 3u: { here = here.zyx; }
    default: {}
  }
  for (var axis = 0u; axis < 3u; axis++) {
    if (((p.flips >> axis) & 1u) == 1u) {
      here[axis] = p.roi[axis] - 1u - here[axis];
    }
  }
  return p.start + here;
}
