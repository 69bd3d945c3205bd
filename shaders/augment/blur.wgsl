// Gaussian smoothing along one axis, each channel of each sample by its own sigma (0: as it is); the image is reflected about its border elements.
// uses lib/grid

struct Params {
  size: u32,     // of the axis
  inner: u32,    // elements between neighbours along it
  plane: u32,    // elements of a channel
  count: u32,
  radius: u32,   // in elements
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sigmas: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn reflected(at: i32, size: i32) -> i32 {
  let period = max(1, 2 * (size - 1));
  let k = abs(at) % period;
  return min(k, period - k);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let sigma = sigmas[i / p.plane];
  if (sigma <= 0.0) {
    y[i] = x[i];
    return;
  }
  let size = i32(p.size);
  let k = i32(i / p.inner % p.size);
  let base = i32(i) - k * i32(p.inner);
  var sum = 0.0;
  var weights = 0.0;
  for (var d = -i32(p.radius); d <= i32(p.radius); d++) {
    let weight = exp(-0.5 * f32(d * d) / (sigma * sigma));
    weights += weight;
    var from_at = k + d;
    if (size == 1) {
      from_at = 0;
    } else if (from_at < 0 || from_at >= size) {
      from_at = reflected(from_at, size);
    }
    sum += weight * x[u32(base + from_at * i32(p.inner))];
  }
  y[i] = sum / weights;
}
