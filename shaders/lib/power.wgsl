// u to the power v over V (f32 or vec4f), with C's rules for zeros, infinities and NaN. WGSL's pow takes no negative base, and exp2(v log2 u) has few
// digits for a large result, so whole exponents up to 15 go by squaring.
// uses lib/special

fn power(u: V, v: V) -> V {
  let base = abs(u);
  let whole = v == floor(v);
  var product = V(1.0);
  var square = base;
  var rest = abs(v);
  for (var i = 0u; i < 4u; i++) {
    let half = floor(0.5 * rest);
    product *= select(V(1.0), square, rest != 2.0 * half);
    square *= square;
    rest = half;
  }
  product = select(product, 1.0 / product, v < V(0.0));
  var y = select(exp2(v * log2(base)), product, whole & (abs(v) <= V(15.0)));
  // 0 or infinity to any power, and any number to the power infinity: whether the result grows or vanishes.
  let endless = is_infinite(v);
  let grows = (select(base, 1.0 / base, v < V(0.0)) > V(1.0)) | ((base == V(0.0)) & (v < V(0.0)));
  let limit = select(V(0.0), infinity(), grows);
  y = select(y, limit, (base == V(0.0)) | is_infinite(u) | endless);
  // The sign bit: a zero has one too.
  let negative = (bitcast<U>(u) >> U(31u)) != U(0u);
  let odd = whole & !endless & (2.0 * floor(0.5 * v) != v);
  y = select(y, -y, negative & odd);
  y = select(y, not_a_number(), (u < V(0.0)) & !is_infinite(u) & !whole);
  y = select(y, not_a_number(), is_nan(u) | is_nan(v));
  return select(y, V(1.0), (v == V(0.0)) | (u == V(1.0)) | ((base == V(1.0)) & endless));
}
