// RAdam (Liu et al. 2020), with L2 penalty or decoupled decay, over one flat buffer of parameters, as PyTorch orders the operations. As long as the
// moving average is too short for a variance, the step is that of the mean alone.
// uses lib/each lib/optim lib/radam

@group(0) @binding(1) var<storage, read> state: RadamState;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> square: array<f32>;

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
    weight[i] = w - rate * m * rectification / select(1.0, sqrt(v) + s.epsilon, rectified);
  }
}
