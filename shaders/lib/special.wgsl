// NaN and infinity over V, by their bits: WGSL may compute as if there were neither, and cannot spell them.

fn is_nan(v: V) -> B {
  return (bitcast<U>(v) & U(0x7fffffffu)) > U(0x7f800000u);
}

fn is_infinite(v: V) -> B {
  return (bitcast<U>(v) & U(0x7fffffffu)) == U(0x7f800000u);
}

fn is_finite(v: V) -> B {
  return (bitcast<U>(v) & U(0x7f800000u)) != U(0x7f800000u);
}

// Variables, since a constant that is not finite is an error.
fn infinity() -> V {
  var bits = 0x7f800000u;
  return V(bitcast<f32>(bits));
}

fn not_a_number() -> V {
  var bits = 0x7fc00000u;
  return V(bitcast<f32>(bits));
}

// Where a device may leave log to itself: a NaN stays, 0 gives -infinity and what is negative NaN.
fn logarithm(v: V) -> V {
  let y = select(select(log(v), -infinity(), v == V(0.0)), not_a_number(), v < V(0.0));
  return select(select(y, infinity(), is_infinite(v) & (v > V(0.0))), v, is_nan(v));
}

// The leading 12 bits, so that a product of two is exact.
fn leading(v: V) -> V {
  return bitcast<V>(bitcast<U>(v) & U(0xfffff000u));
}

// u / v as IEEE rounds it, but for results that are hardly normal. WGSL allows a quotient 2.5 units in the last place, so that 41 / 41 may be below 1.
// What is left of u is added in exact products (Dekker 1971), since fma need not be fused.
fn quotient(u: V, v: V) -> V {
  let q = u / v;
  let a = leading(q);
  let b = leading(v);
  let rest = (((u - a * b) - a * (v - b)) - (q - a) * b) - (q - a) * (v - b);
  let better = q + rest / v;
  return select(q, better, is_finite(better));
}
