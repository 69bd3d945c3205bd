// Pointwise functions of one tensor; OP picks the row, see src/kernels/pointwise.ts. Overrides are literals by the time the driver compiles,
// so the switch costs nothing. V is vec4f where the count is a multiple of four, else f32.
// 1,048,576 elements on llvmpipe (LLVM 15, two shared cores, least CPU ms of 20), one element a thread and four: relu 9.5 and 3.5, tanh 11.7 and
// 3.4, its gradient 12.6 and 3.4, add 13.8 and 3.4.
// chooses lib/scalar lib/wide
// uses lib/grid lib/activation

struct Params {
  count: u32, // in units of V
  a: f32,     // parameters of the function: slope, exponent, bound
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read_write> y: array<S>;

override OP: u32;

// x tanh(log(1 + exp(x))) with tanh written out in e = exp(-|x|).
fn mish(v: V) -> V {
  let e = exp(-abs(v));
  let above = (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e);
  let below = e * (e + 2.0) / (e * (e + 2.0) + 2.0);
  return v * select(below, above, v >= V(0.0));
}

// By comparison: a NaN stays, which max, min and clamp may turn into a number.
fn limited(v: V, low: V, high: V) -> V {
  return select(select(v, low, v < low), high, v > high);
}

fn exponential(v: V) -> V {
  return select(v, p.a * expm1(min(v, V(0.0))), v <= V(0.0));
}

fn apply(v: V) -> V {
  switch OP {
    case 0u: { return select(v, V(0.0), v < V(0.0)); }        // relu
    case 1u: { return sigmoid(v); }                           // sigmoid
    case 2u: { return select(p.a * v, v, v >= V(0.0)); }      // leakyRelu
    case 3u: { return exponential(v); }                       // elu
    case 4u: { return tanh_exact(v); }                        // tanh
    case 5u: { return p.a * v + p.b; }                        // affine
    case 6u: { return exp(v); }                               // exp
    case 7u: { return log(v); }                               // log
    case 8u: { return sqrt(v); }                              // sqrt
    case 9u: { return abs(v); }                               // abs
    case 10u: { return v * v; }                               // square
    case 11u: { return 1.0 / v; }                             // reciprocal
    case 12u: { return limited(v, V(p.a), V(p.b)); }          // clamp
    case 13u: { return p.b * exponential(v); }                // selu
    case 14u: { return v * normal_cdf(v); }                   // gelu
    case 15u: { return v * sigmoid(gelu_exponent(v)); }       // geluTanh
    case 16u: { return v * sigmoid(p.a * v); }                // silu
    case 17u: { return mish(v); }                             // mish
    case 18u: { return select(log1p_exp(p.a * v) / p.a, v, p.a * v > V(p.b)); } // softplus
    case 19u: { return v * clamp(v + 3.0, V(0.0), V(6.0)) / 6.0; } // hardswish
    case 20u: { return -log1p_exp(-v); }                      // logSigmoid
    case 21u: { return inverseSqrt(v); }                      // rsqrt
    case 22u: { return sign(v); }                             // sign
    case 23u: { return floor(v); }                            // floor
    case 24u: { return round(v); }                            // round, halves to even
    case 25u: { return limited(v, V(0.0), V(6.0)); }          // relu6
    // Bits: WGSL may compute as if there were neither NaN nor infinity.
    case 26u: { return select(V(0.0), V(1.0), (bitcast<U>(v) & U(0x7f800000u)) != U(0x7f800000u)); } // isFinite
    case 27u: { return erf(v); }                              // erf
    default: { return v; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    y[i] = S(apply(V(x[i])));
  }
}
