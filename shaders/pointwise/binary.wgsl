// Pointwise functions of two tensors, or of a tensor and a number; OP picks the function, see lib/pair. Same shapes take the short
// way, four elements (V = vec4f) a thread where their count allows. Times in unary.wgsl.
// chooses lib/scalar lib/wide
// uses lib/pair lib/activation lib/power

@group(0) @binding(3) var<storage, read_write> y: array<S>;

// Binary cross-entropy of logit u and target v with weight w of the positives: (1 - v) u + (1 + (w - 1) v) log(1 + exp(-u)).
fn bce(u: V, v: V) -> V {
  return (1.0 - v) * u + (1.0 + (p.parameter - 1.0) * v) * log1p_exp(-u);
}

// The larger, or smaller, of two; a NaN of either stays.
fn chosen(u: V, v: V, first: B) -> V {
  return select(select(select(v, u, first), v, is_nan(v)), u, is_nan(u));
}

fn flag(condition: B) -> V {
  return select(V(0.0), V(1.0), condition);
}

fn apply(u: V, v: V) -> V {
  let d = abs(u - v);
  let limit = V(p.parameter);
  let ordered = !(is_nan(u) | is_nan(v));
  switch OP {
    case ADD: { return u + v; }
    case SUB: { return u - v; }
    case MUL: { return u * v; }
    case DIV: { return quotient(u, v); }
    case MAXIMUM: { return chosen(u, v, u > v); }
    case MINIMUM: { return chosen(u, v, u < v); }
    case POW: { return power(u, v); }
    case BCE_WITH_LOGITS: { return bce(u, v); }
    case MSE: { return d * d; }
    case L1: { return d; }
    case SMOOTH_L1: { return select(d - 0.5 * limit, 0.5 * d * d / limit, d < limit); }
    case HUBER: { return select(limit * (d - 0.5 * limit), 0.5 * d * d, d <= limit); }
    // Nothing is true of a NaN but that it differs.
    case EQ: { return flag((u == v) & ordered); }
    case NE: { return flag((u != v) | !ordered); }
    case LT: { return flag((u < v) & ordered); }
    case LE: { return flag((u <= v) & ordered); }
    case GT: { return flag((u > v) & ordered); }
    case GE: { return flag((u >= v) & ordered); }
    default: { return u; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = piece(group, groups, lane);
  var at = own.at;
  for (var i = own.first; i < own.end; i += own.step) {
    y[i] = S(apply(V(a[at.x]), right(at.y)));
    at += own.by;
  }
}
