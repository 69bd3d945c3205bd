// y[n, c, o] = x[n, c] at matrix[n] · (o, 1) + displacement[n, o], between elements: crop, affine map, flip and elastic deformation in one pass.
// uses lib/lines lib/quotient lib/spline lib/warp lib/warp_linear

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read> displacement: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn sampled(n: u32, positions: u32, place: u32, position: vec3f) {
  linear_sample(n, positions, place, position);
}
