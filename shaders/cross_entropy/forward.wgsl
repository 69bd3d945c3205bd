// Loss per position (REDUCED 0), or per slab the sum of losses and what a mean divides by: the weights of the classes that were meant, or the
// number of positions if the target holds probabilities. Lanes and slabs are added in fixed order.
// uses lib/grid lib/tree lib/blocked lib/cross_entropy lib/class_fault

@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> totals: array<f32>;
@group(0) @binding(6) var<storage, read_write> faults: array<atomic<u32>>;

override REDUCED: u32;

fn loss(at: Position) -> f32 {
  var sums = array<vec3f, 3>();
  var first = 0u;
  loop {
    let end = block_end(first, p.classes);
    var block = vec3f(0.0); // of exponentials, shares, and what shares leave below the top
    for (var c = first; c < end; c++) {
      let v = logits[at.base + c * p.inner] - at.top;
      let q = share(at, c);
      block += vec3f(exp(v), q, select(q * v, 0.0, q == 0.0)); // v may be infinite for masked classes
    }
    for (var k = 0u; k < 3u; k++) {
      sums[k] = raised(sums[k], block[k], first / BLOCK + 1u);
    }
    continuing {
      first = end;
      break if done(first, p.classes);
    }
  }
  return sum_of(sums[1]) * log(sum_of(sums[0])) - sum_of(sums[2]);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let k = linear_group(group, groups);
  let first = k * p.slab;
  let last = min(first + p.slab, p.positions);
  var sum = 0.0;
  var total = 0.0;
  for (var i = first + lane; i < last; i += LANES) {
    let at = position(i);
    if (at.label == NO_CLASS) {
      expect_class(class_index(labels[i]), p.classes);
    }
    var here = 0.0;
    if (at.label >= 0) {
      here = loss(at);
      total += select(class_weight(u32(at.label)), 1.0, TARGET == CHANNELS);
    }
    if (REDUCED == 0u) {
      losses[i] = here;
    }
    sum += here;
  }
  if (REDUCED != 0u) {
    let sums = tree_sums(vec3f(sum, total, 0.0), lane);
    if (lane == 0u && (k == 0u || first < p.positions)) {
      losses[k] = sums.x;
      totals[k] = sums.y;
    }
  }
}
