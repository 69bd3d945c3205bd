// Sum of one value per lane over a workgroup of LANES, in a fixed order, so that the same input gives the same bits. Narrow workgroups, as software
// adapters like them, add the values in one go: a barrier costs more there than 32 loads.
var<workgroup> tree: array<f32, LANES>;

fn tree_sum(value: f32, lane: u32) -> f32 {
  tree[lane] = value;
  workgroupBarrier();
  var total = 0.0;
  if (LANES <= 32u) {
    for (var i = 0u; i < LANES; i++) {
      total += tree[i];
    }
  } else {
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
      if (lane < width) {
        tree[lane] += tree[lane + width];
      }
      workgroupBarrier();
    }
    total = tree[0];
  }
  workgroupBarrier();
  return total;
}
