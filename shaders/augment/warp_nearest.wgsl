// As warp_linear with the nearest element, which is 0 where there is none.
// uses lib/lines lib/quotient lib/spline lib/warp

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read> displacement: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn sampled(n: u32, positions: u32, place: u32, position: vec3f) {
  let at = nearest_place(position);
  let size = p.in_size.x * p.in_size.y * p.in_size.z;
  for (var c = 0u; c < p.in_size.w; c++) {
    var v = 0.0;
    if (at.near != 0.0) { // what is not read may be infinite
      v = x[(n * p.in_size.w + c) * size + at.low];
    }
    y[(n * p.in_size.w + c) * positions + place] = v;
  }
}
