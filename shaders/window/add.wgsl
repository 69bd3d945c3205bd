// Adds a window's prediction, weighted, to the sums of the image: a voxel of the window per thread, all channels. Rows that are not kept are left
// out. Each voxel gets its windows in the order of their dispatches, whatever is kept.
// uses lib/grid lib/round_half lib/window

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> prediction: array<E>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  let size = p.roi.x * p.roi.y * p.roi.z;
  if (i >= size) {
    return;
  }
  let at = image_place(i);
  if (at.y < p.first_row || at.y >= p.first_row + p.rows) {
    return;
  }
  // Weights belong to places of the image, predictions to places of the window that the network saw.
  let here = at - p.start;
  let w = weight[(here.x * p.roi.y + here.y) * p.roi.z + here.z] * p.scale;
  var place = ((at.x % p.ring) * p.rows + at.y - p.first_row) * p.columns + at.z;
  var source = p.offset + i;
  for (var c = 0u; c < p.channels; c++) {
    sums[place] = kept(sums[place] + w * f32(prediction[source]));
    place += p.ring * p.rows * p.columns;
    source += size;
  }
}
