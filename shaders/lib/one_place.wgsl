// f16 values are read one at a time with this fragment, and two that lie side by side with lib/two_places.
// uses lib/single
const WIDE = 1u;

fn nth(v: X, n: u32) -> E {
  return v;
}

fn kept(v: X, yes: bool) -> X {
  return select(X(0), v, yes);
}
