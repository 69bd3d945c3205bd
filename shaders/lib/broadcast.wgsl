// Where the elements of a result find their operands: at the same place, or under broadcasting over up to six axes. The body says how many operands there
// are (alias Places) and their distances along an axis (fn steps); shape0 and shape1 of its Params are the result's axes, left-padded with ones. A thread
// has p.each elements: APART ones, or under broadcasting those of a row, since an axis costs two divisions, four times the sum itself on lavapipe.
// uses lib/each

override BROADCAST: u32 = 0u; // axes, the last ones of the six; 0: all operands lie like the result

// What a thread has: every `step` elements from `first` on, of which the first finds its operands at `at` and each other one `by` further.
struct Piece {
  first: u32,
  end: u32,
  step: u32,
  at: Places,
  by: Places,
}

// One of six numbers in two vectors.
fn along(axis: u32, first: vec4u, last: vec4u) -> u32 {
  return select(first[axis & 3u], last[axis & 3u], axis >= 4u);
}

fn piece(group: vec3u, groups: vec3u, lane: u32) -> Piece {
  if (BROADCAST == 0u) {
    let own = own_elements(group, groups, lane);
    return Piece(own.first, own.end, APART, Places(own.first), Places(APART));
  }
  // p.pieces threads share a row.
  let i = linear_group(group, groups) * 64u + lane;
  var rest = i / p.pieces;
  let first = (i - rest * p.pieces) * p.each;
  let row = rest * p.shape1.y;
  let by = steps(5u);
  var at = first * by;
  for (var k = 1u; k < BROADCAST; k++) {
    let axis = 5u - k;
    let size = along(axis, p.shape0, p.shape1);
    at += rest % size * steps(axis);
    rest /= size;
  }
  return Piece(row + first, min(row + min(first + p.each, p.shape1.y), p.count), 1u, at, by);
}
