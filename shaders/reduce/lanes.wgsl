// One workgroup per output and slab of the reduced elements: each lane combines blocks of 64 values, at most 64 of them, then a
// tree the lanes, so the error of a sum grows with the logarithm of the count. Chunks are combined by a second pass. The order is fixed: same input, same bits.
// uses lib/grid lib/fold lib/ordered lib/tree

// r2 is 1: no division finds an element. 4,194,304 terms on llvmpipe: 6 CPU ms, and 14 with the two that other shapes need.
override SINGLE: u32;

// Extremes as whole numbers, where a NaN, the largest of all, is not lost.
fn tree_combine(value: f32, lane: u32) -> f32 {
  if (COMBINE == SUM) {
    return tree_sum(value, lane);
  }
  let turned = select(0u, 0xFFFFFFFFu, COMBINE == MIN);
  let own = select(key(bitcast<u32>(value)) ^ turned, 0xFFFFFFFFu, is_nan(value));
  return bitcast<f32>(word_of(tree_max(own, lane) ^ turned));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let outputs = p.o1 * p.o2;
  let o = id % outputs;
  let k = id / outputs;
  let first = k * p.slab;
  let last = select(0u, min(first + p.slab, p.r1 * p.r2), k < p.slabs);
  let origin = base(o);
  var total = p.neutral;
  for (var start = first + lane; start < last; start += 64u * LANES) {
    var block = p.neutral;
    for (var r = start; r < min(start + 64u * LANES, last); r += LANES) {
      var at = origin + r * p.x_pitch;
      if (SINGLE == 0u) {
        at = origin + r / p.r2 * p.x_pitch + r % p.r2;
      }
      block = combine(block, mapped(f32(x[at]), o));
    }
    total = combine(total, block);
  }
  total = tree_combine(total, lane);
  if (lane == 0u && k < p.slabs) {
    y[id] = quotient(total, p.divisor);
  }
}
