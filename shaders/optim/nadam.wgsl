// NAdam (Dozat 2016), with L2 penalty or decoupled decay, over one flat buffer of parameters, as PyTorch orders the operations.
// uses lib/each lib/moments lib/nadam

@group(0) @binding(1) var<storage, read> state: NadamState;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  let here = s.lr * (1.0 - s.momentum) / (1.0 - s.momentum_product);
  let ahead = s.lr * s.momentum_next / (1.0 - s.momentum_product * s.momentum_next);
  let root = sqrt(s.correction2);
  let decays = Decays(s.lr, s.weight_decay, s.one_minus_beta1, s.beta2, s.one_minus_beta2);
  for (var i = own.first; i < own.end; i += APART) {
    let now = moments_of(i, decays);
    weight[i] = now.weight - (here * now.gradient + ahead * now.mean) / (sqrt(now.square) / root + s.epsilon);
  }
}
