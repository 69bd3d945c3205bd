// Pointwise functions of one tensor; OP picks the function, see lib/unary. Overrides are literals by the time the driver compiles,
// so the switch costs nothing. V is vec4f where the count is a multiple of four, else f32.
// 1,048,576 elements on llvmpipe (LLVM 15, two shared cores, least CPU ms of 20), one element a thread and four: relu 9.5 and 3.5, tanh 11.7 and
// 3.4, its gradient 12.6 and 3.4, add 13.8 and 3.4.
// chooses lib/scalar lib/wide
// uses lib/each lib/unary lib/special lib/activation

@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read_write> y: array<S>;

// x tanh(log(1 + exp(x))) with tanh written out in e = exp(-|x|).
fn mish(v: V) -> V {
  let e = exp(-abs(v));
  let above = (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e);
  let below = e * (e + 2.0) / (e * (e + 2.0) + 2.0);
  return v * select(below, above, v >= V(0.0));
}

// A NaN stays, which max, min and clamp may turn into a number. Of limits the wrong way round the upper one holds.
fn limited(v: V, low: V, high: V) -> V {
  let raised = select(v, low, v < low);
  return select(select(raised, high, raised > high), v, is_nan(v));
}

fn with_sign(v: V, like: V) -> V {
  return bitcast<V>(bitcast<U>(v) | (bitcast<U>(like) & U(0x80000000u)));
}

// 1 / v and 1 / sqrt(v), also where v is 0 or infinite; the sign of a zero counts.
fn inverse(v: V) -> V {
  return select(1.0 / v, with_sign(infinity(), v), v == V(0.0));
}

fn inverse_root(v: V) -> V {
  let y = select(inverseSqrt(v), not_a_number(), v < V(0.0));
  return select(select(y, V(0.0), is_infinite(v) & (v > V(0.0))), inverse(v), v == V(0.0));
}

fn exponential(v: V) -> V {
  return select(v, p.a * expm1(min(v, V(0.0))), v <= V(0.0));
}

fn apply(v: V) -> V {
  switch OP {
    case RELU: { return select(v, V(0.0), v < V(0.0)); }
    case SIGMOID: { return sigmoid(v); }
    case LEAKY_RELU: { return select(p.a * v, v, v >= V(0.0)); }
    case ELU: { return exponential(v); }
    case TANH: { return tanh_exact(v); }
    case AFFINE: { return p.a * v + p.b; }
    case EXP: { return exp(v); }
    case LOG: { return logarithm(v); }
    case SQRT: { return sqrt(v); }
    case ABS: { return abs(v); }
    case SQUARE: { return v * v; }
    case RECIPROCAL: { return inverse(v); }
    case CLAMP: { return limited(v, V(p.a), V(p.b)); }
    case SELU: { return p.b * exponential(v); }
    case GELU: { return v * normal_cdf(v); }
    case GELU_TANH: { return v * sigmoid(gelu_exponent(v)); }
    case SILU: { return v * sigmoid(p.a * v); }
    case MISH: { return mish(v); }
    case SOFTPLUS: { return select(log1p_exp(p.a * v) / p.a, v, p.a * v > V(p.b)); }
    case HARDSWISH: { return v * clamp(v + 3.0, V(0.0), V(6.0)) / 6.0; }
    case LOG_SIGMOID: { return -log1p_exp(-v); }
    case RSQRT: { return inverse_root(v); }
    case SIGN: { return sign(v); }
    case FLOOR: { return floor(v); }
    case ROUND: { return round(v); }                            // halves to even
    case RELU6: { return limited(v, V(0.0), V(6.0)); }
    case IS_FINITE: { return select(V(0.0), V(1.0), is_finite(v)); }
    case ERF: { return erf(v); }
    default: { return v; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    y[i] = S(apply(V(x[i])));
  }
}
