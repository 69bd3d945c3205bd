// Input gradients of pointwise/unary.wgsl: dx = dy * f'(x), from x or, where that is shorter, from y = f(x). V as there.
// chooses lib/scalar lib/wide
// uses lib/grid lib/activation

struct Params {
  count: u32, // in units of V
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> s: array<S>;  // x or y, as the table says
@group(0) @binding(2) var<storage, read> dy: array<S>;
@group(0) @binding(3) var<storage, read_write> dx: array<S>;

override OP: u32;

// s + x s' of x s, with s a sigmoid and ds the slope of its exponent.
fn gated(v: V, s: V, ds: V) -> V {
  return s + v * (ds * (s * (1.0 - s)));
}

// w + x w' of mish: w = tanh(softplus(x)), w' = (1 - w²) sigmoid(x), both written out in e = exp(-|x|).
fn mish_slope(v: V) -> V {
  let e = exp(-abs(v));
  let d = 1.0 + 2.0 * e + 2.0 * e * e;
  let above = (1.0 + 2.0 * e) / d + v * (4.0 * (1.0 + e) * e * e / (d * d));
  let n = e * (e + 2.0);
  let below = n / (n + 2.0) + v * (4.0 * (1.0 + e) * e / ((n + 2.0) * (n + 2.0)));
  return select(below, above, v >= V(0.0));
}

fn slope(v: V) -> V {
  let zero = V(0.0);
  let one = V(1.0);
  switch OP {
    case 0u: { return select(one, zero, v <= zero); }         // relu, y
    case 1u: { return v * (1.0 - v); }                        // sigmoid, y
    case 2u: { return select(V(p.a), one, v > zero); }        // leakyRelu, x
    case 3u: { return select(v + p.a, one, v > zero); }       // elu, y: a exp(x) = y + a
    case 4u: { return 1.0 - v * v; }                          // tanh, y
    case 5u: { return V(p.a); }                               // affine
    case 6u: { return v; }                                    // exp, y
    case 7u: { return 1.0 / v; }                              // log, x
    case 8u: { return 0.5 / v; }                              // sqrt, y
    case 9u: { return sign(v); }                              // abs, x
    case 10u: { return 2.0 * v; }                             // square, x
    case 11u: { return -v * v; }                              // reciprocal, y
    case 12u: { return select(zero, one, (v >= V(p.a)) & (v <= V(p.b))); } // clamp, x
    case 13u: { return select(v + p.a * p.b, V(p.b), v > zero); } // selu, y
    case 14u: { return normal_cdf(v) + v * bell(v) * 0.3989422804; } // gelu, x
    case 15u: { return gated(v, sigmoid(gelu_exponent(v)), 1.5957691216 * (1.0 + 0.134145 * min(v * v, V(400.0)))); } // geluTanh, x
    case 16u: { return gated(v, sigmoid(p.a * v), V(p.a)); }  // silu, x
    case 17u: { return mish_slope(v); }                       // mish, x
    case 18u: { return select(sigmoid(p.a * v), one, p.a * v > V(p.b)); } // softplus, x
    case 19u: { return select(select(v / 3.0 + 0.5, zero, v <= V(-3.0)), one, v >= V(3.0)); } // hardswish, x
    case 20u: { return sigmoid(-v); }                         // logSigmoid, x
    case 21u: { return -0.5 * v * v * v; }                    // rsqrt, y
    case 22u, 23u, 24u: { return zero; }                      // sign, floor, round
    case 25u: { return select(zero, one, (v > zero) & (v < V(6.0))); } // relu6, y
    case 27u: { return 1.1283791671 * bell(1.4142135624 * v); } // erf, x
    default: { return one; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    dx[i] = S(V(dy[i]) * slope(V(s[i])));
  }
}
