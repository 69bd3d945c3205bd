// Pointwise functions of two tensors, or of a tensor and a number; OP picks the function, see lib/pair. Same shapes take the short
// way, four elements (V = vec4f) a thread where their count allows. Times in unary.wgsl.
// chooses lib/scalar lib/wide
// uses lib/grid lib/pair lib/activation lib/power

@group(0) @binding(3) var<storage, read_write> y: array<S>;

// Binary cross-entropy of logit u and target v with weight w of the positives: (1 - v) u + (1 + (w - 1) v) log(1 + exp(-u)).
fn bce(u: V, v: V) -> V {
  return (1.0 - v) * u + (1.0 + (p.parameter - 1.0) * v) * log1p_exp(-u);
}

// Bits: WGSL may compute as if there were no NaN.
fn is_nan(v: V) -> B {
  return (bitcast<U>(v) & U(0x7fffffffu)) > U(0x7f800000u);
}

fn flag(condition: B) -> V {
  return select(V(0.0), V(1.0), condition);
}

fn apply(u: V, v: V) -> V {
  let d = abs(u - v);
  let limit = V(p.parameter);
  switch OP {
    case ADD: { return u + v; }
    case SUB: { return u - v; }
    case MUL: { return u * v; }
    case DIV: { return u / v; }
    // By comparison: a NaN stays, which max and min may drop.
    case MAXIMUM: { return select(select(v, u, u > v), u, is_nan(u)); }
    case MINIMUM: { return select(select(v, u, u < v), u, is_nan(u)); }
    case POW: { return power(u, v); }
    case BCE_WITH_LOGITS: { return bce(u, v); }
    case MSE: { return d * d; }
    case L1: { return d; }
    case SMOOTH_L1: { return select(d - 0.5 * limit, 0.5 * d * d / limit, d < limit); }
    case HUBER: { return select(limit * (d - 0.5 * limit), 0.5 * d * d, d <= limit); }
    case EQ: { return flag(u == v); }
    case NE: { return flag(u != v); }
    case LT: { return flag(u < v); }
    case LE: { return flag(u <= v); }
    case GT: { return flag(u > v); }
    case GE: { return flag(u >= v); }
    default: { return u; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    let at = places(i);
    y[i] = S(apply(V(a[at.x]), right(at.y)));
  }
}
