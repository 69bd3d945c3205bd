// RAdam (Liu et al. 2020), with L2 penalty or decoupled decay, over one flat buffer of parameters, as PyTorch orders the operations. As long as the
// moving average is too short for a variance, the step is that of the mean alone.
// uses lib/each lib/moments lib/radam

@group(0) @binding(1) var<storage, read> state: RadamState;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  let rate = s.lr / s.correction1;
  let longest = 2.0 / s.one_minus_beta2 - 1.0;
  let length = s.length / s.correction2;
  let rectified = length > 5.0;
  let numerator = (length - 4.0) * (length - 2.0) * longest;
  let rectification = sqrt(select(1.0, numerator / ((longest - 4.0) * (longest - 2.0) * length) * s.correction2, rectified));
  let decays = Decays(s.lr, s.weight_decay, s.one_minus_beta1, s.beta2, s.one_minus_beta2);
  for (var i = own.first; i < own.end; i += APART) {
    let now = moments_of(i, decays);
    weight[i] = now.weight - rate * now.mean * rectification / select(vec4f(1.0), sqrt(now.square) + s.epsilon, rectified);
  }
}
