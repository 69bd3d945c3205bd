// RMSprop (Tieleman and Hinton 2012), plain or centered (Graves 2013), with momentum, over one flat buffer of parameters, as PyTorch orders the
// operations.
// uses lib/each lib/optim

struct RmspropState {
  lr: f32,
  alpha: f32,
  one_minus_alpha: f32,  // rounded once from float64
  epsilon: f32,
  weight_decay: f32,
  momentum: f32,
}

@group(0) @binding(1) var<storage, read> state: RmspropState;
@group(0) @binding(5) var<storage, read_write> square: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> mean: array<vec4f>; // one unless centered

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  for (var i = own.first; i < own.end; i += APART) {
    let w = weight[i];
    let g = fma(vec4f(s.weight_decay), w, p.direction * gradient[i]);
    let v = fma(s.one_minus_alpha * g, g, s.alpha * square[i]);
    square[i] = v;
    var variance = v;
    if (p.variant != 0u) {
      let m = fma(vec4f(s.one_minus_alpha), g - mean[i], mean[i]);
      mean[i] = m;
      variance = max(fma(-m, m, v), vec4f(0.0));
    }
    var step = g / (sqrt(variance) + s.epsilon);
    if (s.momentum != 0.0) {
      step = fma(vec4f(s.momentum), velocity[i], step);
      velocity[i] = step;
    }
    weight[i] = fma(vec4f(-s.lr), step, w);
  }
}
