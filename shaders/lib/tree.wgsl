// One value per lane of a workgroup of LANES becomes the sum, or the largest, of all of them, which every lane gets: in a fixed order, so that the same input
// gives the same bits. Narrow workgroups, as software adapters like them, take the values in one go: a barrier costs more there than 32 loads.
// Who calls the same function again puts a barrier between.
// twin lib/subgroup_tree

var<workgroup> tree: array<f32, LANES>;
var<workgroup> trees: array<vec3f, LANES>;
var<workgroup> words: array<u32, LANES>;

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
  return total;
}

// Three sums at once.
fn tree_sums(values: vec3f, lane: u32) -> vec3f {
  trees[lane] = values;
  workgroupBarrier();
  var sums = vec3f(0.0);
  if (LANES <= 32u) {
    for (var i = 0u; i < LANES; i++) {
      sums += trees[i];
    }
  } else {
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
      if (lane < width) {
        trees[lane] += trees[lane + width];
      }
      workgroupBarrier();
    }
    sums = trees[0];
  }
  return sums;
}

fn tree_max(value: u32, lane: u32) -> u32 {
  words[lane] = value;
  workgroupBarrier();
  var most = 0u;
  if (LANES <= 32u) {
    for (var i = 0u; i < LANES; i++) {
      most = max(most, words[i]);
    }
  } else {
    for (var width = LANES / 2u; width > 0u; width /= 2u) {
      if (lane < width) {
        words[lane] = max(words[lane], words[lane + width]);
      }
      workgroupBarrier();
    }
    most = words[0];
  }
  return most;
}
