// Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019), plain or AMSGrad, over one flat buffer of parameters, as PyTorch orders
// the operations. lib/latest or lib/largest says which second moment divides.
// chooses lib/latest lib/largest
// uses lib/grid lib/guard

struct State {
  lr: f32,
  beta1: f32,
  beta2: f32,
  one_minus_beta1: f32,  // rounded once from float64: 1 - 0.999f is off by 1e-5
  one_minus_beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  correction1: f32,      // 1 - beta1^t
  correction2: f32,      // 1 - beta2^t
}

struct Params {
  count: u32,
  decoupled: u32,        // AdamW
  direction: f32,        // -1 to maximise
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: State;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> square: array<f32>;
@group(0) @binding(6) var<storage, read> scaler: array<f32>; // bound for nothing unless GUARDED

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count || skipped(scaler[2])) {
    return;
  }
  var w = weight[i];
  var g = p.direction * gradient[i];
  if (p.decoupled != 0u) {
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
