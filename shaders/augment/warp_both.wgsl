// An image as warp_linear and its labels as warp_nearest: positions are worked out once for both.
// uses lib/lines lib/quotient lib/spline lib/warp lib/warp_linear

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read> displacement: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> labels: array<f32>;
@group(0) @binding(6) var<storage, read_write> marks: array<f32>;

fn sampled(n: u32, positions: u32, place: u32, position: vec3f) {
  linear_sample(n, positions, place, position);
  let at = nearest_place(position);
  let size = p.in_size.x * p.in_size.y * p.in_size.z;
  for (var c = 0u; c < p.labels; c++) {
    var v = 0.0;
    if (at.near != 0.0) { // what is not read may be infinite
      v = labels[(n * p.labels + c) * size + at.low];
    }
    marks[(n * p.labels + c) * positions + place] = v;
  }
}
