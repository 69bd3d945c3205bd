// Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019), plain or AMSGrad, over one flat buffer of parameters, as PyTorch orders
// the operations. lib/latest or lib/largest says which second moment divides.
// chooses lib/latest lib/largest
// uses lib/each lib/optim lib/adam

@group(0) @binding(1) var<storage, read> state: AdamState;
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
    weight[i] = w - rate * m / (sqrt(divisor(i, v)) / root + s.epsilon);
  }
}
