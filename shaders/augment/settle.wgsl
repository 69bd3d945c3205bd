// Back into an image what was changed beside it: channels whose factor is not 1.
// uses lib/lines

struct Params {
  threads: vec3u,
  plane: u32,    // elements of a channel
  apart: u32,    // from one channel's factor to the next
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn element(id: vec3u) {
  if (factors[id.z * p.apart] == 1.0) {
    return;
  }
  for (var k = id.x; k < p.plane; k += p.threads.x) {
    y[id.z * p.plane + k] = x[id.z * p.plane + k];
  }
}
