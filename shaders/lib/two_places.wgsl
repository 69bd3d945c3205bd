// f16 values are read two at a time, which lie side by side from an even place on, and one with lib/one_place. Half the loads, and half the waits for them.
alias X = vec2<E>;
const WIDE = 2u;

fn nth(v: X, n: u32) -> E {
  return v[n];
}

// As one word: of two halves a compiler would choose each.
fn kept(v: X, yes: bool) -> X {
  return bitcast<X>(select(0u, bitcast<u32>(v), yes));
}
