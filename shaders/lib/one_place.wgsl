// f16 values are read one at a time with this fragment, and two that lie side by side with lib/two_places.
// uses lib/single
const WIDE = 1u;

fn first(v: X) -> E {
  return v;
}

fn second(v: X) -> E {
  return v;
}

fn kept(v: X, yes: bool) -> X {
  return select(X(0), v, yes);
}
