// Logit gradient of focal/forward.wgsl, from the logits again: nothing was kept. dy is one number if the loss was REDUCED.
//   sigmoid  w a (m^gamma (sigmoid(x) - t) - gamma (2 t - 1) sigmoid(x (2 t - 1)) m^gamma e),  e the binary cross-entropy
//   softmax  r_k (1 - p_k) - p_k sum_{c != k} r_c  with  r_c = w t (1 - p_c)^gamma (gamma p_c log p_c / (1 - p_c) - 1)
// uses lib/grid lib/scalar lib/power lib/focal

@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn incoming(at: Place, c: u32) -> f32 {
  if (REDUCED != 0u) {
    return quotient(dy[0], p.divisor);
  }
  return dy[at.row + (c - p.first) * p.inner];
}

fn slope(at: Place, c: u32) -> f32 {
  let x = logits[at.base + c * p.inner];
  let t = wanted(at, c);
  let u = 2.0 * t - 1.0;
  let m = power(sigmoid(-x * u), p.gamma);
  let off = (1.0 - t) * sigmoid(x) - t * sigmoid(-x);
  return share(c, t) * (m * off - p.gamma * u * sigmoid(x * u) * product(m, binary_entropy(x, t)));
}

fn rate(at: Place, c: u32, o: Odds) -> f32 {
  let g = incoming(at, c) * wanted(at, c) * channel_weight(c);
  // log p / (1 - p) goes to -1 where p goes to 1.
  let ratio = select(o.log_p / o.q, -1.0, o.q < 1e-30);
  return product(g, power(o.q, p.gamma) * (p.gamma * product(o.p, ratio) - 1.0));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.positions) {
    return;
  }
  let at = place(i);
  for (var c = 0u; c < p.first; c++) {
    dx[at.base + c * p.inner] = 0.0;
  }
  var total = 0.0;
  if (SOFTMAX != 0u) {
    var sum = vec3f(0.0);
    var blocks = 0u;
    var start = p.first;
    loop {
      let end = block_end(start, p.channels);
      var block = 0.0;
      for (var c = start; c < end; c++) {
        block += rate(at, c, odds(at, c));
      }
      blocks++;
      sum = raised(sum, block, blocks);
      continuing {
        start = end;
        break if done(start, p.channels);
      }
    }
    total = sum_of(sum);
  }
  for (var c = p.first; c < p.channels; c++) {
    var d: f32;
    if (SOFTMAX != 0u) {
      let o = odds(at, c);
      let r = rate(at, c, o);
      d = r * o.q - o.p * (total - r);
    } else {
      d = incoming(at, c) * slope(at, c);
    }
    dx[at.base + c * p.inner] = select(d, 0.0, left_out(at));
  }
}
