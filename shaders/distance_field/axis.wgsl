// One axis of the exact distance field of x > 0.5: for each voxel the distance to the nearest voxel of the other side. The squared Euclidean distance
// separates: min over j of (i - j)² + d(j) per axis (Saito and Toriwaki 1994). Each thread looks outwards from its voxel until nothing nearer can come.
// Squared distances to the inside and to the outside are two planes per image; FAR where there is none.
// uses lib/grid

struct Params {
  size: u32,  // of the axis
  inner: u32, // from one voxel to the next along it
  voxels: u32, // of an image
  count: u32,  // of all
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> from_planes: array<f32>;
@group(0) @binding(2) var<storage, read_write> to: array<f32>;

override FIRST: u32; // reads x instead of planes
override LAST: u32;  // writes the distance: 0 everywhere if one side is empty

const FAR = 1e30;

fn squares(i: u32) -> vec2f {
  if (FIRST != 0u) {
    return select(vec2f(FAR, 0.0), vec2f(0.0, FAR), from_planes[i] > 0.5);
  }
  let at = i + i / p.voxels * p.voxels;
  return vec2f(from_planes[at], from_planes[at + p.voxels]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let before = i / p.inner % p.size;
  let after = p.size - 1u - before;
  var best = squares(i);
  for (var d = 1u; d <= max(before, after); d++) {
    let square = f32(d) * f32(d);
    if (square >= max(best.x, best.y)) {
      break;
    }
    if (d <= before) {
      best = min(best, squares(i - d * p.inner) + square);
    }
    if (d <= after) {
      best = min(best, squares(i + d * p.inner) + square);
    }
  }
  if (LAST != 0u) {
    // One of the two is 0: a voxel is on one side.
    let square = max(best.x, best.y);
    to[i] = select(sqrt(square), 0.0, square >= FAR);
  } else {
    let at = i + i / p.voxels * p.voxels;
    to[at] = best.x;
    to[at + p.voxels] = best.y;
  }
}
