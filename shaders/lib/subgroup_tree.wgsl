// lib/tree for devices with subgroups: each combines what its own lanes have, in an order that the device fixes, and all of them what each has found: two
// barriers in the place of one per level. Found by one lane, it stands at that lane's place, all other places have what changes nothing, and the lanes of each
// subgroup share the places out by their rank. So nothing is assumed of the size of subgroups, which may be 4 to 128, nor of which lanes are in one.

var<workgroup> tree: array<f32, LANES>;
var<workgroup> trees: array<vec3f, LANES>;
var<workgroup> words: array<u32, LANES>;

fn tree_sum(value: f32, lane: u32) -> f32 {
  let own = subgroupAdd(value);
  tree[lane] = select(0.0, own, subgroupElect());
  let width = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  workgroupBarrier();
  var part = 0.0;
  for (var i = rank; i < LANES; i += width) {
    part += tree[i];
  }
  let total = subgroupAdd(part);
  return total;
}

// Three sums at once.
fn tree_sums(values: vec3f, lane: u32) -> vec3f {
  let own = subgroupAdd(values);
  trees[lane] = select(vec3f(0.0), own, subgroupElect());
  let width = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  workgroupBarrier();
  var part = vec3f(0.0);
  for (var i = rank; i < LANES; i += width) {
    part += trees[i];
  }
  let sums = subgroupAdd(part);
  return sums;
}

fn tree_max(value: u32, lane: u32) -> u32 {
  let own = subgroupMax(value);
  words[lane] = own;
  let width = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  workgroupBarrier();
  var most = 0u;
  for (var i = rank; i < LANES; i += width) {
    most = max(most, words[i]);
  }
  most = subgroupMax(most);
  return most;
}
