// Input gradients of pointwise/unary.wgsl: dx = dy * f'(x), from x or, where that is shorter, from y = f(x). V as there.
// chooses lib/scalar lib/wide
// uses lib/each lib/unary lib/activation

@group(0) @binding(1) var<storage, read> s: array<S>;  // x or y, as the table says
@group(0) @binding(2) var<storage, read> dy: array<S>;
@group(0) @binding(3) var<storage, read_write> dx: array<S>;

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
    case RELU: { return select(one, zero, v <= zero); } // y
    case SIGMOID: { return v * (1.0 - v); } // y
    case LEAKY_RELU: { return select(V(p.a), one, v > zero); } // x
    case ELU: { return select(v + p.a, one, v > zero); } // y: a exp(x) = y + a
    case TANH: { return 1.0 - v * v; } // y
    case AFFINE: { return V(p.a); }
    case EXP: { return v; } // y
    case LOG: { return 1.0 / v; } // x
    case SQRT: { return 0.5 / v; } // y
    case ABS: { return sign(v); } // x
    case SQUARE: { return 2.0 * v; } // x
    case RECIPROCAL: { return -v * v; } // y
    case CLAMP: { return select(zero, one, (v >= V(p.a)) & (v <= V(p.b))); } // x
    case SELU: { return select(v + p.a * p.b, V(p.b), v > zero); } // y
    case GELU: { return normal_cdf(v) + v * bell(v) * 0.3989422804; } // x
    case GELU_TANH: { return gated(v, sigmoid(gelu_exponent(v)), 1.5957691216 * (1.0 + 0.134145 * min(v * v, V(400.0)))); } // x
    case SILU: { return gated(v, sigmoid(p.a * v), V(p.a)); } // x
    case MISH: { return mish_slope(v); } // x
    case SOFTPLUS: { return select(sigmoid(p.a * v), one, p.a * v > V(p.b)); } // x
    case HARDSWISH: { return select(select(v / 3.0 + 0.5, zero, v <= V(-3.0)), one, v >= V(3.0)); } // x
    case LOG_SIGMOID: { return sigmoid(-v); } // x
    case RSQRT: { return -0.5 * v * v * v; } // y
    case SIGN, FLOOR, ROUND: { return zero; }
    case RELU6: { return select(zero, one, (v > zero) & (v < V(6.0))); } // y
    case ERF: { return 1.1283791671 * bell(1.4142135624 * v); } // x
    default: { return one; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    dx[i] = S(V(dy[i]) * slope(V(s[i])));
  }
}
