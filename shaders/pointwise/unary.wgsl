// Pointwise functions of one tensor and their gradients; OP picks the row, see src/kernels/pointwise.ts. Overrides are literals by the
// time the driver compiles, so the switch costs nothing.

struct Params {
  count: u32,
  a: f32, // parameter of the function: slope, exponent, bound
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

override OP: u32;

fn apply(v: f32) -> f32 {
  switch OP {
    case 0u: { return max(v, 0.0); }                          // relu
    case 1u: { return sigmoid(v); }                           // sigmoid
    case 2u: { return select(p.a * v, v, v >= 0.0); }         // leakyRelu
    case 3u: { return select(p.a * (exp(min(v, 0.0)) - 1.0), v, v > 0.0); } // elu
    case 4u: { return tanh(clamp(v, -15.0, 15.0)); }          // tanh
    case 5u: { return p.a * v + p.b; }                        // affine
    case 6u: { return exp(v); }                               // exp
    case 7u: { return log(v); }                               // log
    case 8u: { return sqrt(v); }                              // sqrt
    case 9u: { return abs(v); }                               // abs
    case 10u: { return v * v; }                               // square
    case 11u: { return 1.0 / v; }                             // reciprocal
    case 12u: { return clamp(v, p.a, p.b); }                  // clamp
    default: { return v; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    y[i] = apply(x[i]);
  }
}
