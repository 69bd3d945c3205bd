// f16 values are read eight at a time, which lie side by side from a multiple of eight on.
alias X = vec4u;
const WIDE = 8u;

fn nth(v: X, n: u32) -> f16 {
  return bitcast<vec2h>(v[n / 2u])[n % 2u];
}

fn kept(v: X, yes: bool) -> X {
  return select(X(0u), v, yes);
}
