// Functions that activations and losses are made of, over V (f32 or vec4f). They take exp of non-positive arguments only, so nothing overflows,
// and use neither tanh (WGSL allows it 1e-5) nor log near 1 (2^-21, whatever the value): what is small keeps its digits.

fn sigmoid(v: V) -> V {
  let e = exp(-abs(v));
  return select(e, V(1.0), v >= V(0.0)) / (1.0 + e);
}

// exp(v) - 1 for v <= 0: the Taylor series near 0, where the difference would lose the digits.
fn expm1(v: V) -> V {
  let near = v * (1.0 + v * (0.5 + v * (0.16666667 + v * (0.041666668 + v * (0.0083333338
    + v * (0.0013888889 + v * (0.0001984127 + v * 2.4801588e-5)))))));
  return select(exp(v) - 1.0, near, v > V(-0.5));
}

// log(1 + e) for e in [0, 1] as 2 atanh(e / (2 + e)): the series of atanh up to the 13th power, within 2e-8.
fn log1p(e: V) -> V {
  let s = e / (2.0 + e);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (0.33333334 + q * (0.2 + q * (0.14285715 + q * (0.11111111
    + q * (0.09090909 + q * 0.07692308))))));
}

// log(1 + exp(v))
fn log1p_exp(v: V) -> V {
  return max(v, V(0.0)) + log1p(exp(-abs(v)));
}

// tanh as -m / (2 + m) with m = exp(-2|v|) - 1.
fn tanh_exact(v: V) -> V {
  let m = expm1(-2.0 * abs(v));
  let y = -m / (2.0 + m);
  return select(-y, y, v >= V(0.0));
}

// exp(-v²/2), also where v² is not finite; a NaN stays.
fn bell(v: V) -> V {
  let u = select(abs(v), V(20.0), abs(v) > V(20.0));
  return exp(-0.5 * u * u);
}

// Distribution function of the standard normal. The tail is exp(-v²/2) t P(t) with t = 1 / (1 + 0.35 |v|); P is a least-squares fit of ours to
// mpmath's erfc, within 5e-8 of the tail everywhere.
fn normal_cdf(v: V) -> V {
  let t = 1.0 / (1.0 + 0.35 * abs(v));
  let tail = bell(v) * t * (0.13962258 + t * (0.13983604 + t * (0.12006171 + t * (0.10442750 + t * (-0.020117708
    + t * (0.15416621 + t * (-0.25073743 + t * (0.14127216 - t * 0.02853105))))))));
  return select(tail, 1.0 - tail, v >= V(0.0));
}

// The Taylor series near 0, where the difference would lose the digits.
fn erf(v: V) -> V {
  let q = v * v;
  let near = 1.1283791671 * v * (1.0 - q * (0.33333334 - q * (0.1 - q * (0.023809524 - q * (0.0046296296 - q * 0.00075757576)))));
  return select(2.0 * normal_cdf(1.4142135624 * v) - 1.0, near, abs(v) < V(0.5));
}

// 2 sqrt(2/pi) (v + 0.044715 v³), so that 1/2 + tanh(…)/2 of GELU's approximation is its sigmoid; limited to where that has long been 0 or 1.
fn gelu_exponent(v: V) -> V {
  let u = clamp(v, V(-20.0), V(20.0));
  return 1.5957691216 * (u + 0.044715 * u * u * u);
}
