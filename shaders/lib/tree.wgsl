// Sum of one value per lane over a workgroup of 256, in a fixed tree, so that the same input gives the same bits.
var<workgroup> tree: array<f32, 256>;

fn tree_sum(value: f32, lane: u32) -> f32 {
  tree[lane] = value;
  workgroupBarrier();
  for (var width = 128u; width > 0u; width /= 2u) {
    if (lane < width) {
      tree[lane] += tree[lane + width];
    }
    workgroupBarrier();
  }
  let total = tree[0];
  workgroupBarrier();
  return total;
}
