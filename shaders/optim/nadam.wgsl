// NAdam (Dozat 2016), with L2 penalty or decoupled decay, over one flat buffer of parameters, as PyTorch orders the operations.
// uses lib/each lib/optim lib/nadam

@group(0) @binding(1) var<storage, read> state: NadamState;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> square: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  let now = s.lr * (1.0 - s.momentum) / (1.0 - s.momentum_product);
  let ahead = s.lr * s.momentum_next / (1.0 - s.momentum_product * s.momentum_next);
  let root = sqrt(s.correction2);
  for (var i = own.first; i < own.end; i += 64u) {
    var w = weight[i];
    var g = p.direction * gradient[i];
    if (p.variant != 0u) {
      w *= 1.0 - s.lr * s.weight_decay;
    } else {
      g = fma(s.weight_decay, w, g);
    }
    let before = mean[i];
    let m = fma(s.one_minus_beta1, g - before, before);
    let v = fma(s.one_minus_beta2 * g, g, s.beta2 * square[i]);
    mean[i] = m;
    square[i] = v;
    weight[i] = w - (now * g + ahead * m) / (sqrt(v) / root + s.epsilon);
  }
}
