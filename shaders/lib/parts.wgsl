// Sums of a thread of a software adapter, PC by TP in up to four parts, since Mesa unrolls loops of no more than some 800 instructions.

// The second to fourth part, if there are so many.
const P1 = min(1u, PARTS - 1u);
const P2 = min(2u, PARTS - 1u);
const P3 = min(3u, PARTS - 1u);

alias Part = array<array<f32, TP>, PC>;

// Adds sums to those of blocks and begins anew.
fn raise(sum: ptr<function, Part>, acc: ptr<function, Part>) {
  for (var j = 0u; j < PC; j++) {
    for (var i = 0u; i < TP; i++) {
      (*sum)[j][i] += (*acc)[j][i];
      (*acc)[j][i] = 0.0;
    }
  }
}

fn raise_all(sum: ptr<function, array<Part, PARTS>>, acc: ptr<function, array<Part, PARTS>>) {
  raise(&(*sum)[0], &(*acc)[0]);
  if (PARTS > 1u) { raise(&(*sum)[P1], &(*acc)[P1]); }
  if (PARTS > 2u) { raise(&(*sum)[P2], &(*acc)[P2]); }
  if (PARTS > 3u) { raise(&(*sum)[P3], &(*acc)[P3]); }
}
