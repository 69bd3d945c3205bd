// Weights of conv/gather.wgsl where each thread reads all of them; see lib/weights_by_lane.
const THREADS = 64u;
alias Weights = array<vec4f, TC / 4u>;

fn weights_at(first: u32, lane: u32) -> Weights {
  var k: Weights;
  for (var j = 0u; j < TC / 4u; j++) {
    let b = first + j * 4u * p.weight_out;
    k[j] = vec4f(w[b], w[b + p.weight_out], w[b + 2u * p.weight_out], w[b + 3u * p.weight_out]);
  }
  return k;
}

fn four_weights(k: ptr<function, Weights>, j: u32) -> vec4f {
  return (*k)[j];
}
