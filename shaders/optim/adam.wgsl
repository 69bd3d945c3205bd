// Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019), plain or AMSGrad, over one flat buffer of parameters, as PyTorch orders
// the operations. lib/latest or lib/largest says which second moment divides.
// chooses lib/latest lib/largest
// uses lib/each lib/moments lib/adam

@group(0) @binding(1) var<storage, read> state: AdamState;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  let rate = s.lr / s.correction1;
  let root = sqrt(s.correction2);
  let decays = Decays(s.lr, s.weight_decay, s.one_minus_beta1, s.beta2, s.one_minus_beta2);
  for (var i = own.first; i < own.end; i += APART) {
    let now = moments_of(i, decays);
    weight[i] = now.weight - rate * now.mean / (sqrt(divisor(i, now.square)) / root + s.epsilon);
  }
}
