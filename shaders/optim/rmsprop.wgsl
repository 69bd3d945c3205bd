// RMSprop (Tieleman and Hinton 2012), plain or centred (Graves 2013), with momentum, over one flat buffer of parameters, as PyTorch orders the
// operations.
// uses lib/grid lib/guard

struct State {
  lr: f32,
  alpha: f32,
  one_minus_alpha: f32,  // rounded once from float64
  epsilon: f32,
  weight_decay: f32,
  momentum: f32,
}

struct Params {
  count: u32,
  centered: u32,
  direction: f32,        // -1 to maximise
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: State;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> square: array<f32>;
@group(0) @binding(5) var<storage, read_write> velocity: array<f32>;
@group(0) @binding(6) var<storage, read_write> mean: array<f32>; // one word unless centred
@group(0) @binding(7) var<storage, read> scaler: array<f32>; // bound for nothing unless GUARDED

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count || skipped(scaler[2])) {
    return;
  }
  let w = weight[i];
  let g = fma(state.weight_decay, w, p.direction * gradient[i]);
  let v = fma(state.one_minus_alpha * g, g, state.alpha * square[i]);
  square[i] = v;
  var variance = v;
  if (p.centered != 0u) {
    let m = fma(state.one_minus_alpha, g - mean[i], mean[i]);
    mean[i] = m;
    variance = max(fma(-m, m, v), 0.0);
  }
  var step = g / (sqrt(variance) + state.epsilon);
  if (state.momentum != 0.0) {
    step = fma(state.momentum, velocity[i], step);
    velocity[i] = step;
  }
  weight[i] = fma(-state.lr, step, w);
}
