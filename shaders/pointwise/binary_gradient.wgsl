// Gradients of pointwise/binary.wgsl with respect to a (SIDE 0) or b (SIDE 1) at the shape of the result: d = dy * df/du or dy * df/dv. Rows that
// are shorter as sums and products are not here, see src/autograd/binary.ts.
// chooses lib/scalar lib/wide
// uses lib/pair lib/activation lib/power

@group(0) @binding(3) var<storage, read> dy: array<S>;
@group(0) @binding(4) var<storage, read_write> d: array<S>;

override SIDE: u32;

// 1 where the first wins, a half where both do.
fn share(first: V, second: V) -> V {
  return select(select(V(0.0), V(0.5), first == second), V(1.0), first > second);
}

// v u^(v-1) and u^v log u, and 0 where PyTorch takes the limit: for exponent 0, and for the exponent of base 0.
fn power_slope(u: V, v: V) -> V {
  if (SIDE == 0u) {
    return select(v * power(u, v - 1.0), V(0.0), v == V(0.0));
  }
  return select(power(u, v) * logarithm(u), V(0.0), (u == V(0.0)) & (v >= V(0.0)));
}

fn bce_slope(u: V, v: V) -> V {
  let more = p.parameter - 1.0;
  if (SIDE == 0u) {
    // 1 - v - sigmoid(-u) would lose the digits of a small sigmoid(u).
    return sigmoid(u) - v - more * v * sigmoid(-u);
  }
  return more * log1p_exp(-u) - u;
}

// With respect to the difference u - v.
fn difference_slope(e: V) -> V {
  let limit = V(p.parameter);
  switch OP {
    case MSE: { return 2.0 * e; }
    case L1: { return sign(e); }
    case SMOOTH_L1: { return select(sign(e), e / limit, abs(e) < limit); }
    default: { return select(limit * sign(e), e, abs(e) <= limit); }
  }
}

fn slope(u: V, v: V) -> V {
  switch OP {
    case DIV: { return -u / v / v; } // of b only: dy / b needs no kernel
    case MAXIMUM: { if (SIDE == 0u) { return share(u, v); } return share(v, u); }
    case MINIMUM: { if (SIDE == 0u) { return share(v, u); } return share(u, v); }
    case POW: { return power_slope(u, v); }
    case BCE_WITH_LOGITS: { return bce_slope(u, v); }
    default: {
      let s = difference_slope(u - v);
      if (SIDE == 0u) { return s; }
      return -s;
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = piece(group, groups, lane);
  var at = own.at;
  for (var i = own.first; i < own.end; i += own.step) {
    d[i] = S(V(dy[i]) * slope(V(a[at.x]), right(at.y)));
    at += own.by;
  }
}
