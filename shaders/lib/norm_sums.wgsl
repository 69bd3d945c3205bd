// The sums that the gradients of norms are made of.
// uses lib/norm_affine lib/tree

// 1: each element of a group is its own channel, as in layer norm, whose weight is a factor of dy here.
override EACH: u32;

fn stats_of(g: u32) -> vec3f {
  return vec3f(stats[3u * g], stats[3u * g + 1u], stats[3u * g + 2u]);
}

// The gradient of z, of element i of a group.
fn upstream(given: V, z: V, i: u32, q: Channel) -> V {
  let d = given * select(V(q.slope), V(1.0), z > V(0.0));
  if (EACH != 0u) {
    return d * weight[i];
  }
  return d;
}

// Sums over elements first to last - 1 of a group, which are of one channel: of the gradient d of z, of d h, and of the gradient of the slope.
fn channel_sums(g: u32, first: u32, last: u32, s: vec3f, q: Channel, lane: u32) -> vec3f {
  var to = spot(g, first + lane);
  var sum = V(0.0);
  var product = V(0.0);
  var below = V(0.0);
  for (var begin = first + lane; begin < last; begin += PART) {
    var sum_part = V(0.0);
    var product_part = V(0.0);
    var below_part = V(0.0);
    for (var start = begin; start < min(begin + PART, last); start += BLOCK) {
      var sum_block = V(0.0);
      var product_block = V(0.0);
      var below_block = V(0.0);
      for (var i = start; i < min(start + BLOCK, last); i += LANES) {
        let given = V(dy[at(to, p.dy_pitch)]);
        let h = normalized(V(x[at(to, p.x_pitch)]), s);
        let z = scaled(h, q);
        let d = upstream(given, z, i, q);
        sum_block += d;
        product_block = fma(d, h, product_block);
        below_block = fma(given, min(z, V(0.0)), below_block);
        to = next(to);
      }
      sum_part += sum_block;
      product_part += product_block;
      below_part += below_block;
    }
    sum += sum_part;
    product += product_part;
    below += below_part;
  }
  return tree_sums(vec3f(total(sum), total(product), total(below)), lane);
}
