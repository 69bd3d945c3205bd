// Channels of a of conv/weight_gradient.wgsl where each thread reads all of them; see lib/channels_by_lane.
alias Channels = array<vec4f, TA / 4u>;

fn channels_at(first: u32, step: u32, lane: u32) -> Channels {
  var k: Channels;
  for (var i = 0u; i < TA / 4u; i++) {
    let q = first + i * 4u * step;
    k[i] = vec4f(vec4<E>(a[q], a[q + step], a[q + 2u * step], a[q + 3u * step]));
  }
  return k;
}

fn four_channels(k: ptr<function, Channels>, i: u32) -> vec4f {
  return (*k)[i];
}

fn any_lane(needed: bool) -> bool {
  return needed;
}
