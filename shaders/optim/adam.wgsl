// Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019), plain or AMSGrad, over one flat buffer of parameters, as PyTorch orders
// the operations. lib/latest or lib/largest says which second moment divides.
// chooses lib/latest lib/largest
// uses lib/grid lib/optim lib/adam

@group(0) @binding(1) var<storage, read> state: AdamState;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> square: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count || skipped()) {
    return;
  }
  var w = weight[i];
  var g = p.direction * gradient[i];
  if (p.variant != 0u) {
    w *= 1.0 - state.lr * state.weight_decay;
  } else {
    g = fma(state.weight_decay, w, g);
  }
  let m = fma(state.one_minus_beta1, g - mean[i], mean[i]);
  let v = fma(state.one_minus_beta2 * g, g, state.beta2 * square[i]);
  mean[i] = m;
  square[i] = v;
  weight[i] = w - state.lr / state.correction1 * m / (sqrt(divisor(i, v)) / sqrt(state.correction2) + state.epsilon);
}
