// Weights of conv/gather.wgsl where subgroups have eight lanes or more: of the weights, which all lanes need alike, each of eight reads another one and shuffles
// hand them around. llvmpipe compiles a loop of some ten blocks for each read, and walks the lanes in it even where all read the same.
// Lanes without outputs work too, so there are few of them.
const THREADS = 8u;
const SHARED = min(8u, TC);
alias Weights = array<f32, TC / SHARED>;

fn weights_at(first: u32, lane: u32) -> Weights {
  var k: Weights;
  for (var i = 0u; i < TC / SHARED; i++) {
    k[i] = w[first + (i * SHARED + lane % SHARED) * p.weight_out];
  }
  return k;
}

fn four_weights(k: ptr<function, Weights>, j: u32) -> vec4f {
  let own = (*k)[4u * j / SHARED];
  let at = 4u * j % SHARED;
  return vec4f(subgroupShuffle(own, at), subgroupShuffle(own, at + 1u), subgroupShuffle(own, at + 2u), subgroupShuffle(own, at + 3u));
}
