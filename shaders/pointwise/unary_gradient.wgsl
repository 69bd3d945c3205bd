// Input gradients of pointwise/unary.wgsl: dx = dy * f'(x), from x or, where that is shorter, from y = f(x).

struct Params {
  count: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> s: array<f32>;  // x or y, as the table says
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

override OP: u32;

fn slope(v: f32) -> f32 {
  switch OP {
    case 0u: { return select(0.0, 1.0, v > 0.0); }            // relu, y
    case 1u: { return v * (1.0 - v); }                        // sigmoid, y
    case 2u: { return select(p.a, 1.0, v > 0.0); }            // leakyRelu, x
    case 3u: { return select(v + p.a, 1.0, v > 0.0); }        // elu, y: a exp(x) = y + a
    case 4u: { return 1.0 - v * v; }                          // tanh, y
    case 5u: { return p.a; }                                  // affine
    case 6u: { return v; }                                    // exp, y
    case 7u: { return 1.0 / v; }                              // log, x
    case 8u: { return 0.5 / v; }                              // sqrt, y
    case 9u: { return sign(v); }                              // abs, x
    case 10u: { return 2.0 * v; }                             // square, x
    case 11u: { return -v * v; }                              // reciprocal, y
    case 12u: { return select(0.0, 1.0, v >= p.a && v <= p.b); } // clamp, x
    default: { return 1.0; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    dx[i] = dy[i] * slope(s[i]);
  }
}
