// Adagrad (Duchi et al. 2011) over one flat buffer of parameters, as PyTorch orders the operations.
// uses lib/each lib/optim lib/adagrad

@group(0) @binding(1) var<storage, read> state: AdagradState;
@group(0) @binding(5) var<storage, read_write> square: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  let rate = s.lr / fma(s.steps, s.lr_decay, 1.0);
  for (var i = own.first; i < own.end; i += APART) {
    let w = weight[i];
    let g = fma(vec4f(s.weight_decay), w, p.direction * gradient[i]);
    let v = fma(g, g, square[i]);
    square[i] = v;
    weight[i] = w - rate * g / (sqrt(v) + s.epsilon);
  }
}
