// Channels of a of conv/weight_gradient.wgsl, which all lanes need alike, each read by one of eight lanes, as in lib/weights_by_lane.
const SHARED = min(8u, TA);
alias Channels = array<f32, TA / SHARED>;

fn channels_at(first: u32, step: u32, lane: u32) -> Channels {
  var k: Channels;
  for (var i = 0u; i < TA / SHARED; i++) {
    k[i] = f32(a[first + (i * SHARED + lane % SHARED) * step]);
  }
  return k;
}

// The loops around it end together for all lanes of a subgroup (any_lane), which no compiler sees.
@diagnostic(off, subgroup_uniformity)
fn four_channels(k: ptr<function, Channels>, i: u32) -> vec4f {
  let own = (*k)[4u * i / SHARED];
  let at = 4u * i % SHARED;
  return vec4f(subgroupShuffle(own, at), subgroupShuffle(own, at + 1u), subgroupShuffle(own, at + 2u), subgroupShuffle(own, at + 3u));
}

// Whether there is something to do for a lane: all take part in what one of them does.
fn any_lane(needed: bool) -> bool {
  return subgroupAny(needed);
}
