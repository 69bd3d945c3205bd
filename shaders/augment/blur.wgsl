// Symmetric weights along one axis, those of the element's channel; the image is reflected about its border elements.
// uses lib/grid

struct Params {
  size: u32,     // of the axis
  inner: u32,    // elements between neighbours along it
  plane: u32,    // elements of a channel
  count: u32,
  radius: u32,   // in elements
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn reflected(at: i32, size: i32) -> i32 {
  let k = abs(at) % max(1, 2 * (size - 1));
  return min(k, 2 * (size - 1) - k);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let first = i / p.plane * (p.radius + 1u);
  let center = weights[first];
  var sum = center * x[i];
  if (center == 1.0) {
    y[i] = sum;
    return;
  }
  let size = i32(p.size);
  let k = i32(i / p.inner % p.size);
  let base = i32(i) - k * i32(p.inner);
  for (var d = 1; d <= i32(p.radius); d++) {
    let weight = weights[first + u32(d)];
    if (weight < 1e-9) {
      break;
    }
    let before = reflected(k - d, size);
    let behind = reflected(k + d, size);
    sum += weight * (x[base + before * i32(p.inner)] + x[base + behind * i32(p.inner)]);
  }
  y[i] = sum;
}
