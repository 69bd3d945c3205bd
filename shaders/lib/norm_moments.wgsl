// Mean, and the sum of squares around it, of elements first to last - 1 of group g. The squares are added in a second pass around the mean:
// E[x^2] - E[x]^2 loses all digits on CT-like offsets. What the mean lacks is added there too, and kept as the third: where a channel hardly varies,
// the last bits of its mean would be most of the error of the result, and of a sum of its gradient, which is zero.
// uses lib/norm lib/tree

fn moments(g: u32, first: u32, last: u32, lane: u32) -> vec3f {
  let start_at = spot(g, first + lane);
  var to = start_at;
  var sum = V(0.0);
  for (var begin = first + lane; begin < last; begin += PART) {
    var part = V(0.0);
    for (var start = begin; start < min(begin + PART, last); start += BLOCK) {
      var block = V(0.0);
      for (var i = start; i < min(start + BLOCK, last); i += LANES) {
        block += V(x[at(to, p.x_pitch)]);
        to = next(to);
      }
      part += block;
    }
    sum += part;
  }
  let count = f32(max(last - first, 1u) * WIDTH);
  let mean = tree_sum(total(sum), lane) / count;

  to = start_at;
  sum = V(0.0);
  var rest = V(0.0);
  for (var begin = first + lane; begin < last; begin += PART) {
    var part = V(0.0);
    var part_off = V(0.0);
    for (var start = begin; start < min(begin + PART, last); start += BLOCK) {
      var block = V(0.0);
      var off = V(0.0);
      for (var i = start; i < min(start + BLOCK, last); i += LANES) {
        let d = V(x[at(to, p.x_pitch)]) - mean;
        block = fma(d, d, block);
        off += d;
        to = next(to);
      }
      part += block;
      part_off += off;
    }
    sum += part;
    rest += part_off;
  }
  let sums = tree_sums(vec3f(total(rest), total(sum), 0.0), lane);
  let lacking = sums.x / count;
  return vec3f(mean, sums.y - count * lacking * lacking, lacking);
}
