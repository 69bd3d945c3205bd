// Finds the bits under view of the bound from their counts, which it clears.
// uses lib/top_share

@group(0) @binding(1) var<storage, read_write> state: array<u32>;

@compute @workgroup_size(1)
fn main() {
  var open = state[OPEN];
  if (p.shift == 24u) {
    open = p.k;
  }
  var found = false;
  for (var b = 256u; b > 0u; b--) {
    let n = state[b - 1u];
    state[b - 1u] = 0u;
    if (found) {
      continue;
    }
    if (n < open) {
      open -= n;
    } else {
      found = true;
      state[BOUND] |= (b - 1u) << p.shift;
      state[TIES] = n;
    }
  }
  state[OPEN] = open;
}
