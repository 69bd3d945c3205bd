// u to the power v over V (f32 or vec4f). WGSL's pow takes no negative base, and exp2(v log2 u) has few digits for a large result, so whole
// exponents up to 15 go by squaring. A negative base with a broken exponent gives what the device's log2 gives: NaN where it has one.
fn power(u: V, v: V) -> V {
  let whole = v == floor(v);
  var product = V(1.0);
  var square = abs(u);
  var rest = abs(v);
  for (var i = 0u; i < 4u; i++) {
    let half = floor(0.5 * rest);
    product *= select(V(1.0), square, rest != 2.0 * half);
    square *= square;
    rest = half;
  }
  product = select(product, 1.0 / product, v < V(0.0));
  var y = select(exp2(v * log2(select(u, abs(u), whole))), product, whole & (abs(v) <= V(15.0)));
  y = select(y, V(0.0), (u == V(0.0)) & (v > V(0.0)));
  return select(y, -y, (u < V(0.0)) & whole & (2.0 * floor(0.5 * v) != v));
}
