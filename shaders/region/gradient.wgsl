// Logit gradient of region/sums.wgsl. With g the gradients of the three sums, per position:
//   r_c = g0 d(overlap)/dq + g1 d(prediction)/dq,  then through the activation:
//   none r_c,  sigmoid r_c q (1 - q),  softmax q_c (r_c - sum_k r_k q_k),  and times the mask, whichever it multiplied.
// uses lib/grid lib/prediction

@group(0) @binding(4) var<storage, read> d_sums: array<f32>; // [3, N, C]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn rate(n: u32, c: u32, s: u32, q: f32) -> f32 {
  let t = wanted(n, c, s);
  let g0 = d_sums[n * p.channels + c];
  let g1 = d_sums[(p.samples + n) * p.channels + c];
  switch MODE {
    case SQUARED: { return fma(g0, t, g1 * 2.0 * q); }
    case SOFT: { return fma(g0, 0.5 * (sign(q) - sign(q - t)), g1 * sign(q)); }
    default: { return fma(g0, t, g1); }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * 64u + lane;
  if (id >= p.samples * p.inner) {
    return;
  }
  let n = id / p.inner;
  let s = id % p.inner;
  let terms = softmax_terms(n, s);
  var dot = 0.0;
  if (ACTIVATION == SOFTMAX) {
    var sum = vec3f(0.0);
    var first = 0u;
    loop {
      let end = block_end(first, p.channels);
      var block = 0.0;
      for (var c = first; c < end; c++) {
        let q = predicted(n, c, s, terms);
        block = fma(rate(n, c, s, q), q, block);
      }
      sum = raised(sum, block, first / BLOCK + 1u);
      continuing {
        first = end;
        break if done(first, p.channels);
      }
    }
    dot = sum_of(sum);
  }
  for (var c = 0u; c < p.channels; c++) {
    let q = predicted(n, c, s, terms);
    var d = rate(n, c, s, q);
    switch ACTIVATION {
      // sigmoid(-v) is 1 - q with all its digits.
      case SIGMOID: { d *= q * sigmoid(-logit(n, c, s)); }
      case SOFTMAX: { d = q * (d - dot); }
      default: {}
    }
    dx[(n * p.channels + c) * p.inner + s] = select(d * masked(n, s), 0.0, left_out(n, s));
  }
}
