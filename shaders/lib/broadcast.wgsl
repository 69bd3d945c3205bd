// Where element i of a result finds its operands: the same place, or under broadcasting over up to six axes. The body says how many operands there are
// (alias Places) and their distances along an axis (fn steps); shape0 and shape1 of its Params are the result's axes, left-padded with ones.

override BROADCAST: u32 = 0u; // axes, the last ones of the six; 0: all operands lie like the result

// One of six numbers in two vectors.
fn along(axis: u32, first: vec4u, last: vec4u) -> u32 {
  return select(first[axis & 3u], last[axis & 3u], axis >= 4u);
}

fn places(i: u32) -> Places {
  if (BROADCAST == 0u) {
    return Places(i);
  }
  var at = Places(0u);
  var rest = i;
  for (var k = 0u; k < BROADCAST; k++) {
    let axis = 5u - k;
    let size = along(axis, p.shape0, p.shape1);
    at += rest % size * steps(axis);
    rest /= size;
  }
  return at;
}
