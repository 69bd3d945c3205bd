// Focal loss per position and channel (REDUCED 0), or its sum per slab of positions, to be added by `reduce`. Lanes and slabs are added in fixed order.
// uses lib/grid lib/scalar lib/power lib/tree lib/focal lib/class_fault

@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> faults: array<atomic<u32>>;

fn loss(at: Place, c: u32) -> f32 {
  if (left_out(at)) {
    return 0.0;
  }
  let t = wanted(at, c);
  if (SOFTMAX != 0u) {
    let o = odds(at, c);
    return product(t * channel_weight(c), -power(o.q, p.gamma) * o.log_p);
  }
  let x = logits[at.base + c * p.inner];
  return share(c, t) * product(power(sigmoid(-x * (2.0 * t - 1.0)), p.gamma), binary_entropy(x, t));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let k = linear_group(group, groups);
  let first = k * p.slab;
  let last = min(first + p.slab, p.positions);
  var sum = 0.0;
  for (var i = first + lane; i < last; i += LANES) {
    let at = place(i);
    if (TARGET != CHANNELS && !left_out(at)) {
      expect_class(at.label, p.channels);
    }
    var own = vec3f(0.0);
    var blocks = 0u;
    var start = p.first;
    loop {
      let end = block_end(start, p.channels);
      var block = 0.0;
      for (var c = start; c < end; c++) {
        let here = loss(at, c);
        if (REDUCED == 0u) {
          losses[at.row + (c - p.first) * p.inner] = here;
        }
        block += here;
      }
      blocks++;
      own = raised(own, block, blocks);
      continuing {
        start = end;
        break if done(start, p.channels);
      }
    }
    sum += sum_of(own);
  }
  if (REDUCED != 0u) {
    sum = tree_sum(sum, lane);
    if (lane == 0u && (k == 0u || first < p.positions)) {
      losses[k] = sum;
    }
  }
}
