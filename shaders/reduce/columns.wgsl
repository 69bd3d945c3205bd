// The same reduction with one thread per output, for many outputs of few terms each: slabs of a weight gradient, a batch axis.
// The terms are few by choice of the host, and added in blocks of 64.
// uses lib/grid lib/fold

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = linear_group(group, groups) * 64u + lane;
  if (o >= p.o1 * p.o2) {
    return;
  }
  let start = base(o);
  var total = p.neutral;
  var block = p.neutral;
  var terms = 0u;
  for (var i = 0u; i < p.r1; i++) {
    for (var j = 0u; j < p.r2; j++) {
      block = combine(block, mapped(f32(x[start + i * p.x_pitch + j]), o));
      terms++;
      if (terms % 64u == 0u) {
        total = combine(total, block);
        block = p.neutral;
      }
    }
  }
  total = combine(total, block);
  y[o] = quotient(total, p.divisor);
}
