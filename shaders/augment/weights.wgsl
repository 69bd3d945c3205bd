// Weights of a Gaussian at distances 0 … radius along one axis, which together with their mirror images add up to 1, for each channel's sigma.

struct Params {
  channels: u32,
  radius: u32,
  apart: u32,    // sigmas of a channel: one, or one of each axis
  axis: u32,     // which of them
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sigmas: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.channels) {
    return;
  }
  let sigma = sigmas[id.x * p.apart + p.axis];
  let first = id.x * (p.radius + 1u);
  var total = 1.0;
  weights[first] = 1.0;
  for (var d = 1u; d <= p.radius; d++) {
    let weight = select(0.0, exp(-0.5 * f32(d * d) / (sigma * sigma)), sigma > 0.0);
    weights[first + d] = weight;
    total += 2.0 * weight;
  }
  for (var d = 0u; d <= p.radius; d++) {
    weights[first + d] /= total;
  }
  // 1 in the middle means that nothing is done; a channel that another axis smooths is written along this one too.
  var others = 0.0;
  for (var a = 0u; a < p.apart; a++) {
    others = max(others, sigmas[id.x * p.apart + a]);
  }
  if (p.apart > 1u && others > 0.0) {
    weights[first] = min(weights[first], 0.99999994);
  }
}
